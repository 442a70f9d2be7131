package store

import (
	"context"
	"database/sql"
	"time"
)

// A Call is one request to a model and what came of it.
type Call struct {
	Time      time.Time
	Client    string // who asked
	Model     string // id by which the model was called
	Usage     Usage
	Cost      float64 // USD; 0 if unknown
	Status    int     // of HTTP, as the client got it
	Finding   string  // id in the catalogue of messages; "" for none
	RequestID string  // AWS's
}

// A Total sums up the calls of one client to one model.
type Total struct {
	Client, Model string
	Calls         int
	Usage         Usage
	Cost          float64 // USD
}

// Record writes down calls, all in one transaction.
func (db *DB) Record(ctx context.Context, calls []Call) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO calls (time, client, model, input, output, cache_read, cache_write, cost, status, finding, request_id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, c := range calls {
			if _, err := insert.ExecContext(ctx, moment(c.Time), c.Client, c.Model, c.Usage.Input, c.Usage.Output, c.Usage.CacheRead, c.Usage.CacheWrite,
				c.Cost, c.Status, c.Finding, c.RequestID); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "record %d calls", len(calls))
}

// UsageSince sums up the calls from a time on, for each client and model, in
// the order of their names.
func (db *DB) UsageSince(ctx context.Context, since time.Time) ([]Total, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT client, model, COUNT(*), SUM(input), SUM(output), SUM(cache_read), SUM(cache_write), SUM(cost)
		FROM calls WHERE time >= ? GROUP BY client, model ORDER BY client, model`, moment(since))
	all, err := collect(rows, err, func(row scanner) (t Total, err error) {
		err = row.Scan(&t.Client, &t.Model, &t.Calls, &t.Usage.Input, &t.Usage.Output, &t.Usage.CacheRead, &t.Usage.CacheWrite, &t.Cost)
		return t, err
	})
	return all, wrap(err, "sum up usage")
}
