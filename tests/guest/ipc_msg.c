/*
 * SysV message queues: types, truncation, msgctl with every command, a reader in a child.
 */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[100];
};

static void post(int id, long type, const char *text)
{
	struct message m = {.type = type};
	strcpy(m.text, text);
	need(msgsnd(id, &m, strlen(text), 0));
}

int main(void)
{
	struct message m;
	struct msqid_ds ds;
	struct msginfo info;
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	if (id == -1)
		skip("SysV message queues: %s", strerror(errno));
	show("queue %d", id);
	post(id, 5, "five");
	post(id, 2, "two");
	post(id, 9, "nine");
	memset(&m, '#', sizeof(m));
	expect_eq_long(msgrcv(id, &m, 100, 2, 0), 3, "by type");
	expect(m.type == 2 && memcmp(m.text, "two##", 5) == 0, "type %ld", m.type);
	expect_eq_long(msgrcv(id, &m, 100, -6, 0), 4, "lowest up to 6");
	expect_errno(msgrcv(id, &m, 2, 0, 0), E2BIG);
	expect_eq_long(msgrcv(id, &m, 2, 0, MSG_NOERROR), 2, "cut");
	expect_errno(msgrcv(id, &m, 100, 0, IPC_NOWAIT), ENOMSG);
	m.type = 0;
	expect_errno(msgsnd(id, &m, 10, 0), EINVAL);

	pid_t pid = need(fork());
	if (pid == 0) {
		expect_eq_long(msgrcv(id, &m, 100, 7, 0), 6, "the child waits for type 7");
		post(id, 8, "answer");
		_exit(done());
	}
	post(id, 7, "for it");
	expect_eq_long(msgrcv(id, &m, 100, 8, 0), 6, "its answer");
	expect_child(pid, 0);
	post(id, 1, "left over");
	expect_eq_long(msgctl(id, IPC_STAT, &ds), 0, "IPC_STAT");
	show("messages %lu, bytes %lu of %lu, pids %d %d, times %ld %ld %ld", ds.msg_qnum,
	     ds.__msg_cbytes, ds.msg_qbytes, ds.msg_lspid, ds.msg_lrpid, ds.msg_stime, ds.msg_rtime,
	     ds.msg_ctime);
	expect(ds.msg_qnum == 1 && ds.msg_lspid == getpid() && ds.msg_lrpid == getpid(), "as sent");
	ds.msg_qbytes = 200;
	expect_eq_long(msgctl(id, IPC_SET, &ds), 0, "IPC_SET");
	memset(&m, 'x', sizeof(m));
	m.type = 1;
	need(msgsnd(id, &m, 100, IPC_NOWAIT));
	expect_errno(msgsnd(id, &m, 100, IPC_NOWAIT), EAGAIN);
	int index = msgctl(0, IPC_INFO, (struct msqid_ds *)&info);
	show("IPC_INFO: highest index %d, msgmax %d, msgmni %d", index, info.msgmax, info.msgmni);
	expect(msgctl(0, MSG_INFO, (struct msqid_ds *)&info) >= 0, "MSG_INFO: %d queues",
	       info.msgpool);
	show("MSG_STAT: %d", msgctl(index, MSG_STAT, &ds));
	expect_errno(msgctl(id, 999, &ds), EINVAL);
	expect_eq_long(msgctl(id, IPC_RMID, NULL), 0, "IPC_RMID");
	expect(msgrcv(id, &m, 100, 0, 0) == -1 && (errno == EINVAL || errno == EIDRM), "gone");
	return done();
}
