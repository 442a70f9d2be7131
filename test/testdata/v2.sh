#!/bin/bash
# The shape of a helper that fetches a token and falls back to version 1.
address=http://169.254.169.254

token() {
	curl -s --connect-timeout 2 -X PUT "$address/latest/api/token" \
		-H "X-aws-ec2-metadata-token-ttl-seconds: 21600" 2>/dev/null
}

value() {
	local session
	session=$(token)
	if [ -n "$session" ]; then
		curl -s --connect-timeout 2 -H "X-aws-ec2-metadata-token: $session" "$address/latest/meta-data/$1"
	else
		curl -s --connect-timeout 2 "$address/latest/meta-data/$1"
	fi
}

echo "instance: $(value instance-id)"
echo "region: $(value placement/region)"
role=$(value iam/security-credentials/)
echo "role: $role"
value "iam/security-credentials/$role" | grep -q '"Code" : "Success"' && echo "credentials: yes"
echo "over IPv6: $(curl -s -g -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' -o /dev/null -w '%{http_code}' 'http://[fd00:ec2::254]/latest/api/token')"
