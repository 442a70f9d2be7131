package cloudwatch

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// An expression of metric math, as far as it is arithmetic
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
type expression func(*results) (result, error)

// parser reads sums of products of numbers, ids and what stands in brackets.
type parser struct {
	tokens []string
	depth  int
}

const maxDepth = 100 // of brackets and signs

// What may be wrong with an expression. The texts are ours.
var (
	errSyntax   = errors.New("it is no expression")
	errCircle   = errors.New("it refers to itself")
	errNoSeries = errors.New("it is no time series")
)

func parseExpression(text string) (expression, error) {
	tokens := regexp.MustCompile(`[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[A-Za-z_][A-Za-z0-9_]*|\S`)
	p := &parser{tokens: tokens.FindAllString(text, -1)}
	e, err := p.sum()
	if err == nil && len(p.tokens) > 0 {
		err = errSyntax
	}
	return e, err
}

func (p *parser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) take() string {
	t := p.next()
	p.tokens = p.tokens[min(1, len(p.tokens)):]
	return t
}

func (p *parser) sum() (expression, error) { return p.chain(p.product, "+", "-") }

func (p *parser) product() (expression, error) { return p.chain(p.factor, "*", "/") }

// chain reads operands between operators of one rank.
func (p *parser) chain(operand func() (expression, error), operators ...string) (expression, error) {
	left, err := operand()
	for err == nil && (p.next() == operators[0] || p.next() == operators[1]) {
		operator, first := p.take(), left
		var second expression
		if second, err = operand(); err == nil {
			left = func(r *results) (result, error) { return apply(r, operator, first, second) }
		}
	}
	return left, err
}

func (p *parser) factor() (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	t := p.take()
	if f, err := strconv.ParseFloat(t, 64); err == nil && t[0] <= '9' {
		return func(*results) (result, error) { return result{number: f}, nil }, nil
	}
	switch {
	case t == "-":
		e, err := p.factor()
		zero := func(*results) (result, error) { return result{}, nil }
		return func(r *results) (result, error) { return apply(r, "-", zero, e) }, err
	case t == "(":
		e, err := p.sum()
		if err == nil && p.take() != ")" {
			err = errSyntax
		}
		return e, err
	case t == "" || t[0] != '_' && (t[0]|0x20 < 'a' || t[0]|0x20 > 'z'):
		return nil, errSyntax
	case p.next() == "(":
		return nil, fmt.Errorf("unsupported function %s: tegata's stand-in knows arithmetic only", t)
	}
	return func(r *results) (result, error) { return r.of(t) }, nil
}

// apply computes in each period that both sides have. What is no number, such
// as a division by zero, is no datapoint.
func apply(r *results, operator string, first, second expression) (result, error) {
	a, err := first(r)
	if err != nil {
		return result{}, err
	}
	b, err := second(r)
	if err != nil {
		return result{}, err
	}
	if a.points == nil && b.points == nil {
		return result{number: compute(operator, a.number, b.number)}, nil
	}
	out := result{points: map[int64]float64{}}
	over := a.points
	if over == nil {
		over = b.points
	}
	for at := range over {
		x, hasX := a.at(at)
		y, hasY := b.at(at)
		if v := compute(operator, x, y); hasX && hasY && !math.IsNaN(v) && !math.IsInf(v, 0) {
			out.points[at] = v
		}
	}
	return out, nil
}

func (r result) at(second int64) (float64, bool) {
	if r.points == nil {
		return r.number, true
	}
	v, ok := r.points[second]
	return v, ok
}

func compute(operator string, a, b float64) float64 {
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	return a / b
}
