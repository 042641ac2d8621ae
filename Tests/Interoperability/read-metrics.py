"""Reads OpenMetrics text with Prometheus's own parser, and dashboard and alert rules beside it.

    read-metrics.py METRICS TEXTFILE DASHBOARD RULES < names of VMs, one a line

Whatever does not hold is an exception. `promtool` checks the rules too, where it is installed.
"""

import json
import re
import shutil
import subprocess
import sys

import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
from prometheus_client.parser import text_string_to_metric_families as parse_textfile

metrics, textfile, dashboard, rules = sys.argv[1:]
names = sys.stdin.read().splitlines()

families = list(parse(open(metrics, encoding="utf-8").read()))
samples = {sample.name for family in families for sample in family.samples}
# What has no sample yet is known by its family.
known = samples | {family.name + ("_total" if family.type == "counter" else "") for family in families}
assert all(family.documentation for family in families)
listed = [sample.labels["vm"] for family in families if family.name == "spschedd_vm" for sample in family.samples]
assert listed == names, listed
print("metrics", len(families))

older = {sample.name: family.type for family in parse_textfile(open(textfile, encoding="utf-8").read())
         for sample in family.samples}
assert set(older) == samples, set(older) ^ samples
assert all(kind == ("counter" if name.endswith("_total") else "gauge") for name, kind in older.items()), older
print("textfile", len(older))


def named(expressions):
    return {name for text in expressions for name in re.findall(r"\bspschedd_[a-z_]+", text)}


panels = json.load(open(dashboard, encoding="utf-8"))["panels"]
used = named(target["expr"] for panel in panels for target in panel["targets"])
assert used and used <= known, used - known
print("dashboard", len(panels))

groups = yaml.safe_load(open(rules, encoding="utf-8"))["groups"]
alerts = [rule for group in groups for rule in group["rules"]]
used = named(alert["expr"] for alert in alerts)
assert used and used <= known, used - known
for alert in alerts:
    assert alert["labels"]["severity"] in ("critical", "warning", "info"), alert
    assert alert["annotations"]["summary"] and alert["annotations"]["description"].endswith("."), alert
if shutil.which("promtool"):
    subprocess.run(["promtool", "check", "rules", rules], check=True, stdout=subprocess.DEVNULL)
print("rules", len(alerts))
