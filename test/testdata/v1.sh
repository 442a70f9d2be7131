#!/bin/sh
# The shape of scripts from before IMDSv2: a literal address and no token. What
# comes back is used as it is, a page of HTML or nothing included.
base=http://169.254.169.254/latest
echo "instance: $(curl -s $base/meta-data/instance-id)"
echo "status: $(curl -s -o /dev/null -w '%{http_code}' $base/meta-data/instance-id)"
echo "region: $(curl -s $base/dynamic/instance-identity/document | sed -n 's/.*"region" *: *"\([^"]*\)".*/\1/p')"
