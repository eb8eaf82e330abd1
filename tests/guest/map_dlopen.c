/*
 * A library loaded at run time: found, used, unloaded, loaded again; one that does not exist.
 */
#include "guest.h"
#include <dlfcn.h>
#include <link.h>

static int list(struct dl_phdr_info *info, size_t size, void *count)
{
	show("%s at %lx, %d headers", info->dlpi_name[0] ? info->dlpi_name : "(main)",
	     (unsigned long)info->dlpi_addr, info->dlpi_phnum);
	++*(int *)count;
	return 0;
}

int main(void)
{
	int before = 0, after = 0;
	Dl_info info;

	dl_iterate_phdr(list, &before);
	void *lib = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL)
		skip("libm.so.6: %s", dlerror());
	double (*cosine)(double) = (double (*)(double))(uintptr_t)dlsym(lib, "cos");
	expect(cosine != NULL && cosine(0.0) == 1.0, "cos(0) at %p", (void *)(uintptr_t)cosine);
	show("cos(1) = %.17g", cosine(1.0));
	dl_iterate_phdr(list, &after);
	expect(after > before, "%d objects, then %d", before, after);
	expect(dladdr((void *)(uintptr_t)cosine, &info) != 0, "it belongs to %s", info.dli_fname);
	expect(dlsym(lib, "no_such_function_here") == NULL, "%s", dlerror());
	expect_eq_long(dlclose(lib), 0, "dlclose");
	for (int i = 0; i < 5; i++) {
		lib = dlopen("libm.so.6", RTLD_LAZY);
		need(lib ? 0 : -1);
		show("again at %p", dlsym(lib, "sin"));
		dlclose(lib);
	}
	expect(dlopen("libno-such-library.so.9", RTLD_NOW) == NULL, "%s", dlerror());
	return done();
}
