from tools.conformance import names_summary, summary


def case(name, status, outcome=None):
    failures = [{"kind": "forward", "outcome": outcome, "message": "died"}] if outcome else []
    return {"name": name, "status": status, "failures": failures}


def report(*cases):
    return {"cases": cases, "totals": {"ops": {"checks": {"forward": [1, 2]}}}}


def test_the_share_leaves_out_what_was_not_tested():
    percent, deaths = summary(report(case("a", "pass"), case("b", "wrong", "wrong"), case("c", "untested")))
    assert percent == 50.0
    assert deaths == []


def test_crashes_and_hangs_are_named():
    _, deaths = summary(report(case("a", "crash", "crash"), case("b", "crash", "hang"), case("c", "pass")))
    assert deaths == ["a: forward: crash: died", "b: forward: hang: died"]


def test_the_share_of_names_is_of_all_namespaces_together():
    space = {"namespace": "torch", "signatures_agree": 3, "signatures_differ": {"a": "lacks b"}}
    spaces = [space | {"names": 30, "present": 30}, space | {"names": 10, "present": 0}]
    assert names_summary({"namespaces": spaces}) == 75.0
