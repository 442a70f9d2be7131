#!/bin/sh
# The AWS CLI given as $1, which must find role and region on the instance
# alone, and then through a credential_process. Since it may be older than
# AWS_ENDPOINT_URL, it is told by option where AWS is.
unset AWS_REGION AWS_DEFAULT_REGION

settings() {
	"$1" configure list | sed 's/<not set>/-/' | awk '$1 ~ /^(access_key|region)$/ { print $1 ":", $3 }'
}

caller() {
	"$@" --endpoint-url "$AWS_ENDPOINT_URL" sts get-caller-identity --query Arn --output text
}

settings "$1"
caller "$1" --region "$(tegata get region)"

export AWS_CONFIG_FILE="$HOME/process" AWS_PROFILE=process
printf '[profile process]\ncredential_process = tegata credentials -o process\nregion = ap-northeast-1\n' >"$AWS_CONFIG_FILE"
settings "$1"
caller "$1"
