package scan

import "testing"

func TestScript(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Lang{
		"#!/bin/sh\n":                          Shell,
		"#!/bin/bash -xe\nfoo":                 Bash,
		"#!/usr/bin/env bash":                  Bash,
		"#! /usr/bin/env -S A=b python3.11 -u": Python,
		"#!/usr/bin/perl":                      Plain,
		"#!":                                   Template,
		"echo":                                 Template,
	} {
		if got := Script(body, Template); got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}
