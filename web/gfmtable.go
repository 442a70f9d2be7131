package web

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A tables makes tables of paragraphs with a row of dashes: the line before it
// is the head, those after it are the rows, and what comes before stays a
// paragraph.
type tables struct{}

func (tables) Transform(n *ast.Paragraph, reader text.Reader, _ parser.Context) {
	source, lines := reader.Source(), n.Lines()
	for i := 1; i < lines.Len(); i++ {
		columns := alignments(lines.At(i), source)
		if columns == nil {
			continue
		}
		head := cells(lines.At(i-1), source)
		if len(head) > len(columns) {
			return
		}
		spare := 2 * (lines.At(lines.Len()-1).Stop - lines.At(0).Start)
		table := newTable(columns, head)
		appendRows(table, lines.Sliced(i+1, lines.Len()), spare, source)
		n.Parent().InsertAfter(n.Parent(), n, table)
		keepFirst(n, i-1)
		return
	}
}

// keepFirst leaves the first lines of a paragraph, or takes it away when there
// are none.
func keepFirst(n *ast.Paragraph, lines int) {
	n.Lines().SetSliced(0, lines)
	if lines == 0 {
		n.Parent().RemoveChild(n.Parent(), n)
	}
}

// newTable returns a table with a head. GitHub knows no tables whose head has
// fewer cells than the row of dashes, but models write them.
func newTable(columns []extast.Alignment, head []text.Segment) *extast.Table {
	table := extast.NewTable()
	table.Alignments = columns
	header := extast.NewTableHeader(extast.NewTableRow(columns))
	appendCells(header, head, columns)
	for header.ChildCount() < len(columns) {
		header.AppendChild(header, extast.NewTableCell())
	}
	table.AppendChild(table, header)
	return table
}

// appendRows adds rows to a table and fills up the short ones with empty cells,
// up to so many in all: thousands of columns over thousands of rows without a
// bar would take all memory.
func appendRows(table *extast.Table, lines []text.Segment, spare int, source []byte) {
	for _, line := range lines {
		row := extast.NewTableRow(table.Alignments)
		appendCells(row, cells(line, source), table.Alignments)
		for ; row.ChildCount() < len(table.Alignments) && spare > 0; spare-- {
			row.AppendChild(row, extast.NewTableCell())
		}
		table.AppendChild(table, row)
	}
}

// appendCells adds cells to a row, and leaves out those beyond the last column.
func appendCells(row ast.Node, all []text.Segment, columns []extast.Alignment) {
	for i, content := range all[:min(len(all), len(columns))] {
		cell := extast.NewTableCell()
		cell.Alignment = columns[i]
		cell.Lines().Append(content)
		row.AppendChild(row, cell)
	}
}

// alignments reads a row of dashes, or returns nil for any other line. Dashes
// alone, without a bar or a colon, are none, nor are those indented like code.
func alignments(line text.Segment, source []byte) []extast.Alignment {
	value := line.Value(source)
	indent, _ := util.IndentWidth(value, 0)
	if indent > 3 || len(bytes.Trim(value, " \t\n-:|")) > 0 || !bytes.ContainsAny(value, ":|") {
		return nil
	}
	var columns []extast.Alignment
	for _, cell := range cells(line, source) {
		a, ok := alignment(cell.Value(source))
		if !ok {
			return nil
		}
		columns = append(columns, a)
	}
	return columns
}

// alignment reads one cell of a row of dashes.
func alignment(cell []byte) (extast.Alignment, bool) {
	dashes, left := bytes.CutPrefix(cell, []byte(":"))
	dashes, right := bytes.CutSuffix(dashes, []byte(":"))
	ok := len(dashes) > 0 && len(bytes.Trim(dashes, "-")) == 0
	switch {
	case left && right:
		return extast.AlignCenter, ok
	case left:
		return extast.AlignLeft, ok
	case right:
		return extast.AlignRight, ok
	}
	return extast.AlignNone, ok
}

// cells splits a row at its bars.
func cells(row text.Segment, source []byte) []text.Segment {
	row = row.TrimLeftSpace(source)
	row = row.TrimRightSpace(source)
	start := row.Start
	if bytes.HasPrefix(source[start:row.Stop], []byte("|")) {
		start++
	}
	var all []text.Segment
	for start < row.Stop {
		end := nextBar(source, start, row.Stop)
		cell := text.NewSegment(start, end)
		cell = cell.TrimLeftSpace(source)
		all = append(all, cell.TrimRightSpace(source))
		start = end + 1
	}
	return all
}

// nextBar returns where the next bar is that no backslash escapes, or stop. A
// bar at the start of the row isn't looked at: cells skips it.
func nextBar(source []byte, start, stop int) int {
	for i := start; i < stop; i++ {
		if source[i] == '|' && source[i-1] != '\\' {
			return i
		}
	}
	return stop
}

// inTable reports whether a node is in a cell of a table, where a bar needs a
// backslash even in code.
func inTable(n ast.Node) bool {
	for ; n != nil; n = n.Parent() {
		if _, ok := n.(*extast.TableCell); ok {
			return true
		}
	}
	return false
}
