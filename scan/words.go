package scan

import "sync"

// A dictionary finds any of some words in one pass over the data, however many
// there are.
//
// Source: A. V. Aho, M. J. Corasick, Efficient string matching: an aid to
// bibliographic search, 1975
type dictionary struct {
	next [][256]uint16 // by state and byte
	ends []bool        // whether a word ends in the state
}

func newDictionary(words []string) *dictionary {
	d := &dictionary{}
	d.state()
	for _, w := range words {
		at := uint16(0)
		for i := range len(w) {
			if d.next[at][w[i]] == 0 {
				d.next[at][w[i]] = d.state()
			}
			at = d.next[at][w[i]]
		}
		d.ends[at] = true
	}
	d.link()
	return d
}

func (d *dictionary) state() uint16 {
	d.next = append(d.next, [256]uint16{})
	d.ends = append(d.ends, false)
	return uint16(len(d.next) - 1)
}

// link has every state that knows no way for a byte go on where the longest
// end of what was read would.
func (d *dictionary) link() {
	suffix := make([]uint16, len(d.next))
	var queue []uint16
	for _, s := range d.next[0] {
		if s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		d.ends[at] = d.ends[at] || d.ends[suffix[at]]
		for c := range 256 {
			on, instead := d.next[at][c], d.next[suffix[at]][c]
			if on == 0 {
				d.next[at][c] = instead
				continue
			}
			suffix[on] = instead
			queue = append(queue, on)
		}
	}
}

// in reports whether a word is in the data.
func (d *dictionary) in(data []byte) bool {
	at := uint16(0)
	for _, c := range data {
		at = d.next[at][c]
		if d.ends[at] {
			return true
		}
	}
	return false
}

// commands are those of the AWS CLI in which there is something to find.
var commands = sync.OnceValue(func() *dictionary {
	return newDictionary([]string{"invoke-model", "--payload", "configure set", "imds_use_", "ec2_metadata_"})
})

// settings name instances and what they are launched from, in the words of
// Terraform, CloudFormation and Ansible; and what scripts are packed into.
var settings = sync.OnceValue(func() *dictionary {
	return newDictionary([]string{
		"http_tokens", "HttpTokens", "metadata_options",
		"aws_instance", "aws_launch_", "aws_spot_", "/ec2-instance/aws", "/autoscaling/aws", "/eks/aws",
		"AWS::EC2::Instance", "AWS::EC2::LaunchTemplate", "::LaunchConfiguration",
		"ec2_instance:", "ec2_launch_template:",
		`"Statement"`, "external-secrets.io/v1", "aws_iam_access_key",
		"MTY5LjI1NC4xNjkuMjU0", "E2OS4yNTQuMTY5LjI1N", "xNjkuMjU0LjE2OS4yNT", // the address as base64, after 0, 1 and 2 bytes
		"H4sI", // gzip as base64
		"invoke-model", "--payload", "configure set", "imds_use_", "ec2_metadata_",
	})
})

// libraries are the names of AWS's, as registries have them.
var libraries = sync.OnceValue(func() *dictionary {
	return newDictionary([]string{"aws-sdk", "boto", "awscli", "amazonaws", "awssdk"})
})
