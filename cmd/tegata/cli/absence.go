package cli

import (
	"context"
	"strings"
)

// absences are the reasons why an instance may lack something, by the value
// or the folder that it lacks.
//
// Source: "Instance metadata categories" in the EC2 User Guide,
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
var absences = []struct{ path, phrase string }{
	{"meta-data/ancestor-ami-ids", "only an image whose manifest names ancestors has them"},
	{"meta-data/autoscaling/", "the instance belongs to no Auto Scaling group"},
	{"meta-data/events/recommendations/", "EC2 has recommended no rebalance"},
	{"meta-data/iam/", "no role is attached to the instance; tegata doctor tells how to attach one"},
	{"meta-data/ipv6", "the instance has no IPv6 address"},
	{"meta-data/kernel-id", "only a paravirtual instance has one"},
	{"meta-data/local-ipv4", "the instance has IPv6 addresses only: tegata get ipv6"},
	{"meta-data/placement/group-name", "the instance is in no placement group"},
	{"meta-data/placement/host-id", "the instance is on no Dedicated Host"},
	{"meta-data/placement/partition-number", "the instance is in no partition placement group"},
	{"meta-data/product-codes", "the image has no product code of AWS Marketplace"},
	{"meta-data/public-hostname", "the instance has no public IPv4 address, or its VPC gives no host names"},
	{"meta-data/public-ipv4", "the instance has no public IPv4 address"},
	{"meta-data/public-keys/", "the instance was launched without a key pair"},
	{"meta-data/ramdisk-id", "only a paravirtual instance has one"},
	{"meta-data/spot/", "no Spot interruption is announced"},
	{"meta-data/tags/", `have the instance tell its tags: aws ec2 modify-instance-metadata-options --instance-id "$(tegata get instance-id)" --instance-metadata-tags enabled`},
	{userDataPath, "the instance was launched without user data"},
}

// explain adds to the absence of a field why it is absent or what was meant,
// as far as the other metadata tell.
func (r *reader) explain(ctx context.Context, f field, err error) error {
	_, path := cutVersion(f.path)
	for _, a := range absences {
		if lacks := strings.HasPrefix(path+"/", a.path); lacks && r.lacks(ctx, path, a.path) {
			return hintf(err, a.phrase)
		}
	}
	if near := r.nearestPath(ctx, f.path); near != "" {
		return hintf(err, "did you mean %s?", near)
	}
	return err
}

// lacks reports whether an instance from which path is absent lacks a value or
// a whole folder.
func (r *reader) lacks(ctx context.Context, path, what string) bool {
	if !strings.HasSuffix(what, "/") {
		return strings.Trim(path, "/") == what
	}
	names, err := r.list(ctx, what)
	return err != nil || len(names) == 0
}
