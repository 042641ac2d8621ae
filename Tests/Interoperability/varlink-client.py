"""Asks the Manager everything, with the Varlink project's own Python client.

    varlink-client.py SOCKET VM

It reads the interface by introspection and knows methods and types from there alone. One VM of that name is registered
and was refused for its limit. Prints one word for each thing that held; whatever does not hold is an exception.
"""

import sys

import varlink

client = varlink.Client.new_with_address("unix:" + sys.argv[1])
name = sys.argv[2]


def held(what):
    print(what, flush=True)


def refused(error, call):
    try:
        call()
    except varlink.VarlinkError as problem:
        assert problem.error() == error, problem
        return problem.parameters()
    raise AssertionError(f"{error} did not come")


with client.open("io.spschedd.Manager") as manager:
    status = manager.Status()
    assert status["vms"] == 1 and status["device"] == "absent" and not status["draining"], status
    held("Status")

    vms = [reply["vm"] for reply in manager.ListVMs(_more=True) if "vm" in reply]
    assert [vm["name"] for vm in vms] == [name], vms
    held("ListVMs")

    answer = manager.Explain(name)
    explanation = answer["explanations"][0]
    assert explanation["refusals"][0]["reason"] == "limit", answer
    assert explanation["standing"]["limit_opens_ns"] > 0, answer
    assert refused("io.spschedd.Manager.NoSuchVM", lambda: manager.Explain("nobody")) == {"vm": "nobody"}
    held("Explain")

    text = "".join(reply["text"] for reply in manager.Metrics(_more=True))
    assert text.endswith("# EOF\n")
    held("Metrics")

    assert manager.Drain() == {"was": False} and manager.Drain() == {"was": True}
    with client.open("io.spschedd.Manager") as other:
        changes = iter(other.Watch(_more=True))
        assert next(changes)["change"]["kind"] == "watching"
        assert manager.Resume() == {"was": False} and manager.Resume() == {"was": True}
        assert next(changes)["change"]["kind"] == "resumed"
    held("Watch")

    assert manager.ReleaseDevice() == {"vms": 1}
    manager.RetakeDevice()
    held("ReleaseDevice")
    refused("io.spschedd.Manager.NotConfirmed", lambda: manager.PlatformCommit(False))
    held("PlatformCommit")
