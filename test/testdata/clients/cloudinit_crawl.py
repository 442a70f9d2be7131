"""What cloud-init finds on the instance, as it does at boot on EC2.

Only the look into the machine's firmware is imitated: it would say that this
is no instance of EC2.
"""

import base64
import json
import os
from unittest import mock

from cloudinit import helpers
from cloudinit.sources import DataSourceEc2 as ec2

def is_base64(lines):
    """Tell whether a leaf, which cloud-init has cut into lines, holds base64."""
    text = lines if isinstance(lines, str) else "".join(lines)
    return bool(text) and base64.b64encode(base64.b64decode(text)).decode() == text


home = os.environ["HOME"]
paths = helpers.Paths({"cloud_dir": home + "/cloud", "run_dir": home + "/run"})
with mock.patch.object(ec2, "identify_platform", return_value=ec2.CloudNames.AWS):
    source = ec2.DataSourceEc2({}, None, paths)
    if not source._get_data():
        raise SystemExit("cloud-init found no instance")
    found = {
        "crawled": source._crawled_metadata,
        "instance": source.get_instance_id(),
        "region": source.region,
        "zone": source.availability_zone,
        "keys": source.get_public_ssh_keys(),
    }
# Signatures differ from key to key; here they need only be some.
identity = found["crawled"]["dynamic"]["instance-identity"]
signatures = {kind: identity.pop(kind) for kind in list(identity) if kind != "document"}
found["no signatures"] = [kind for kind, text in signatures.items() if not is_base64(text)]
print(json.dumps(found, indent=1, sort_keys=True, default=lambda b: b.decode()))
