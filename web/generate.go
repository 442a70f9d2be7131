package web

// What browsers get is built from src and style and committed, so that a build
// of the program needs no other tool.
//
//go:generate go run ./build
