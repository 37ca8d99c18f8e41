# A proxy in Python, for app_python3 and app_python3s alike: docs/moving-in.md, "Routes in another language".

import sys

import KSR


# app_python3 calls the functions of an object with the message, app_python3s those of the file without.
def mod_init():
    return sys.modules[__name__]


def child_init(*_):
    return 0


def defined(name):
    return KSR.pv.get("$def(" + name + ")").strip('"')


def ksr_request_route(*_):
    if KSR.is_CANCEL():
        KSR.tm.t_relay()
        return 1
    if KSR.siputils.has_totag() > 0:
        KSR.rr.loose_route()
        if KSR.is_ACK():
            KSR.route("SIPTRUST_OUT")
        KSR.tm.t_relay()
        return 1
    if KSR.is_method_in("IS"):
        KSR.rr.record_route()
    if KSR.pv.get("$rd") == "own.example":
        KSR.pv.sets("$fs", defined("INSIDE"))
        KSR.setdsturi(defined("NEXT_HOP"))
    KSR.tm.t_on_branch("ksr_branch_manage")
    KSR.tm.t_on_reply("ksr_onreply_manage")
    KSR.tm.t_on_failure("ksr_failure_manage")
    if KSR.tm.t_relay() < 0:
        KSR.sl.sl_reply_error()
    return 1


def ksr_branch_manage(*_):
    if KSR.pv.get("$rU") == "raises":
        raise ValueError("a fault of the script")
    if KSR.pv.get("$rU") == "ends":
        return 0
    KSR.hdr.append("Organization: branch\r\n")
    return 1


def ksr_onreply_manage(*_):
    return 1


def ksr_failure_manage(*_):
    return 1


def ksr_reply_route(*_):
    return 1
