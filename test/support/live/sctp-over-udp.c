/*
 * SCTP as Kamailio's module uses it, carried by UDP: preloaded, it makes SCTP sockets where the kernel has none. The number of
 * an association is the port of the peer; it comes up before its first message.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* (Of the others it needs all.) */
#include <linux/sctp.h>

#ifndef MSG_NOTIFICATION
#define MSG_NOTIFICATION 0x8000
#endif
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define IS_SCTP(fd) ((fd) >= 0 && (fd) < (int)sizeof(ours) && ours[fd])

static char ours[1024];
/* All processes know them. */
static struct sockaddr_in *peers;

__attribute__((constructor)) static void start(void) {
  peers = mmap(NULL, 65536 * sizeof(*peers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

int socket(int domain, int type, int protocol) {
  int sctp = protocol == IPPROTO_SCTP;
  int fd = REAL(socket)(domain, sctp ? SOCK_DGRAM : type, sctp ? 0 : protocol);
  if (fd >= 0 && fd < (int)sizeof(ours)) ours[fd] = sctp;
  return fd;
}

int listen(int fd, int backlog) { return IS_SCTP(fd) ? 0 : REAL(listen)(fd, backlog); }

int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  return level == IPPROTO_SCTP ? 0 : REAL(setsockopt)(fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  if (level != IPPROTO_SCTP) return REAL(getsockopt)(fd, level, name, value, length);
  memset(value, 0, *length);
  return 0;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags) {
  struct cmsghdr *control = msg->msg_control;
  struct sockaddr_in *from = msg->msg_name;
  struct sctp_sndrcvinfo *info;
  ssize_t got;
  int id;
  if (!IS_SCTP(fd)) return REAL(recvmsg)(fd, msg, flags);
  msg->msg_controllen = 0;
  got = REAL(recvmsg)(fd, msg, flags | MSG_PEEK);
  if (got < 0) return got;
  id = ntohs(from->sin_port);
  if (peers[id].sin_port != from->sin_port || peers[id].sin_addr.s_addr != from->sin_addr.s_addr) {
    struct sctp_assoc_change up = {SCTP_ASSOC_CHANGE, 0, sizeof(up), SCTP_COMM_UP, 0, 1, 1, id};
    peers[id] = *from;
    memcpy(msg->msg_iov->iov_base, &up, sizeof(up));
    msg->msg_flags = MSG_NOTIFICATION | MSG_EOR;
    return sizeof(up);
  }
  got = REAL(recvmsg)(fd, msg, flags);
  msg->msg_flags |= MSG_EOR;
  msg->msg_control = control;
  msg->msg_controllen = CMSG_SPACE(sizeof(*info));
  memset(control, 0, msg->msg_controllen);
  control->cmsg_level = IPPROTO_SCTP;
  control->cmsg_type = SCTP_SNDRCV;
  control->cmsg_len = CMSG_LEN(sizeof(*info));
  info = (struct sctp_sndrcvinfo *)CMSG_DATA(control);
  info->sinfo_assoc_id = id;
  return got;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
  struct msghdr plain = *msg;
  if (!IS_SCTP(fd)) return REAL(sendmsg)(fd, msg, flags);
  if (plain.msg_name == NULL) {
    struct sctp_sndrcvinfo *info = (struct sctp_sndrcvinfo *)CMSG_DATA((struct cmsghdr *)msg->msg_control);
    plain.msg_name = &peers[info->sinfo_assoc_id & 0xffff];
    plain.msg_namelen = sizeof(*peers);
  }
  plain.msg_control = NULL;
  plain.msg_controllen = 0;
  return REAL(sendmsg)(fd, &plain, flags);
}
