"""Has the programs that read a file make the script that an instance runs of it.

    render.py KIND DIRECTORY...

Each file of the directories gets a script beside it, named as the file with
".run" behind it; of what CloudFormation and Terraform make, the user data with
".userdata", for cloud-init to read.
"""
import base64
import contextlib
import glob
import grp
import json
import logging
import os
import pwd
import re
import shlex
import subprocess
import sys
import tempfile


def write(path, script):
    with open(path + ".run", "w") as f:
        f.write(script if script.startswith("#!") else "#!/bin/sh\n" + script)
    os.chmod(path + ".run", 0o755)


def user_data(path, data):
    """What cloud-init makes of user data: its own reader takes it apart."""
    from cloudinit import helpers, user_data as ud, util

    path = path.removesuffix(".userdata")
    logging.disable(logging.CRITICAL)
    processor = ud.UserDataProcessor(helpers.Paths({"cloud_dir": os.getcwd()}))
    script = ""
    for part in processor.process(data).walk():
        if part.get_content_maintype() == "multipart":
            continue
        text = util.fully_decoded_payload(part)
        if part.get_content_type() == "text/x-shellscript":
            script += "\n" + text if script else text
        elif part.get_content_type() == "text/cloud-config":
            script += cloud_config(path, text)
    write(path, script)


def cloud_config(path, text):
    from cloudinit import util
    from cloudinit.config import cc_write_files

    config = util.load_yaml(text)
    directory = os.path.dirname(os.path.abspath(path))
    for f in config.get("write_files", []):
        f.pop("owner", None)
        f["path"] = os.path.join(directory, os.path.basename(f["path"]))
    me = "%s:%s" % (pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name)
    for f in config.get("write_files", []):
        f["owner"] = me
    cc_write_files.write_files("write-files", config.get("write_files", []), me)
    script = util.shellify(config.get("bootcmd", []) + config.get("runcmd", []))
    return script


def keep(path, data):
    with open(path + ".userdata", "wb") as f:
        f.write(data)


def cloudinit(path):
    with open(path, "rb") as f:
        user_data(path, f.read())


def cloudformation(path):
    """CloudFormation is moto's; what its EC2 keeps is the user data."""
    import boto3

    with open(path) as f:
        template = f.read()
    stack = re.sub(r"\W", "", os.path.basename(path))
    boto3.client("cloudformation", region_name="eu-west-1").create_stack(StackName=stack, TemplateBody=template)
    ec2 = boto3.client("ec2", region_name="eu-west-1")
    for instance in boto3.client("cloudformation", region_name="eu-west-1").describe_stack_resources(StackName=stack)["StackResources"]:
        if instance["ResourceType"] == "AWS::EC2::Instance":
            told = ec2.describe_instance_attribute(InstanceId=instance["PhysicalResourceId"], Attribute="userData")
            keep(path, base64.b64decode(told["UserData"]["Value"]))
        elif instance["ResourceType"] == "AWS::EC2::LaunchTemplate":
            told = ec2.describe_launch_template_versions(LaunchTemplateId=instance["PhysicalResourceId"])
            keep(path, base64.b64decode(told["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]))


def terraform(directories):
    """Terraform's plan has the user data of launch templates, and the outputs.

    Each directory is a module of one plan: most of the time goes by in starting
    the provider.
    """
    with tempfile.TemporaryDirectory(dir=os.path.dirname(directories[0])) as root:
        with open(os.path.join(root, "main.tf"), "w") as f:
            for i, directory in enumerate(directories):
                source = os.path.relpath(directory, root)
                f.write('module "m%d" {\n  source = "%s"\n}\noutput "m%d" {\n  value = module.m%d\n}\n' % (i, source, i, i))
        run = lambda *args: subprocess.run(("terraform",) + args, cwd=root, check=True, capture_output=True, text=True).stdout
        run("init", "-no-color", "-plugin-dir=" + os.environ["TF_PLUGINS"])
        run("plan", "-no-color", "-out=plan")
        plan = json.loads(run("show", "-json", "plan"))
    for i, directory in enumerate(directories):
        planned(plan, "m%d" % i, directory)


def planned(plan, module, directory):
    values = plan["planned_values"]
    for child in values["root_module"]["child_modules"]:
        for resource in child["resources"] if child["address"] == "module." + module else []:
            if resource["type"] == "aws_launch_template":
                keep(os.path.join(directory, resource["name"] + ".tf"), base64.b64decode(resource["values"]["user_data"]))
    for resource in plan["configuration"]["root_module"]["module_calls"][module]["module"]["resources"]:
        text = resource["expressions"].get("user_data", {}).get("constant_value")
        if text is not None:
            keep(os.path.join(directory, resource["name"] + ".tf"), text.encode())
    for name, value in values["outputs"][module]["value"].items():
        keep(os.path.join(directory, name + ".tf"), value.encode())


def systemd(path):
    """systemd itself does not run here: its quoting and specifiers, by its manual."""
    script = ""
    with open(path) as f:
        lines = f.read().replace("\\\n", " ").splitlines()
    for line in lines:
        key, _, value = line.partition("=")
        if key in ("ExecStartPre", "ExecStart", "ExecStartPost"):
            words = shlex.split(value.lstrip("-@:+!"))
            words = [w.replace("%%", "%").replace("$$", "$") for w in words]
            script += shlex.join(words) + ("\n" if value.startswith("-") else " || exit\n")
    write(path, script)


def makefile(path):
    write(path, "exec make -s -f %s\n" % shlex.quote(os.path.abspath(path)))


def shell(path):
    with open(path) as f:
        write(path, f.read())


def manifest(path):
    """Kubernetes and Compose run the argument vectors of a container."""
    import yaml

    script = ""
    with open(path) as f:
        for document in yaml.safe_load_all(f):
            for container in containers(document):
                script += shlex.join(word.replace("$$", "$") for word in container) + "\n"
    write(path, script)


def containers(node):
    if isinstance(node, list):
        for n in node:
            yield from containers(n)
    elif isinstance(node, dict):
        argv = node.get("entrypoint", []) if "image" in node and "name" not in node else []
        command = node.get("command", []) if "image" in node else []
        if isinstance(command, str):
            command = shlex.split(command)
        if "image" in node:
            yield argv + command + node.get("args", [])
        for n in node.values():
            yield from containers(n)


def workflow(path):
    import yaml

    with open(path) as f:
        jobs = yaml.safe_load(f)["jobs"]
    script = ""
    for job in jobs.values():
        for step in job["steps"]:
            if "run" in step:
                script += step["run"] + "\n"
    write(path, "#!/bin/bash -e\n" + script)


def ansible(path):
    write(path, "exec ansible-playbook -i localhost, -c local %s 2>/dev/null | grep -o '\"msg\": .*'\n" % shlex.quote(os.path.abspath(path)))


kind, directories = sys.argv[1], sys.argv[2:]
if kind == "terraform":
    terraform(directories)
    sys.exit()
around = contextlib.nullcontext
if kind == "cloudformation":
    from moto import mock_aws as around

    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
for directory in directories:
    os.chdir(directory)
    given = sorted(glob.glob(os.path.join(directory, "*.userdata"))) or sorted(glob.glob(os.path.join(directory, "*")))
    with around():
        for path in given:
            if os.path.isfile(path):
                globals()[kind](path)
