import { fileURLToPath } from 'node:url';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** A flight as it is known before it leaves, and how late it turned out to be. */
export interface Flight {
  key: string;
  features: { date: string; distance: number; origin: string; destination: string };
  late: boolean;
}

// From dist/flight-delay as from flight-delay itself: the package is hoisted to the repository's root.
const FILE = fileURLToPath(import.meta.resolve('vega-datasets')).replace(
  /build[/\\].*$/,
  'data/flights-3m.parquet',
);

/** The world outside: what a flight-information system would know on each day. */
export class Flights {
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(): Promise<Flights> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    return new Flights(await instance.connect());
  }

  /** The flights of one day (`YYYY-MM-DD`) in order of departure. */
  async of(day: string): Promise<Flight[]> {
    const reader = await this.#connection.runAndReadAll(
      `select strftime(date, '%Y-%m-%dT%H:%M:%SZ') as date, distance::double as distance, origin, destination, delay > 15 as late
       from read_parquet($file) where date >= $day::timestamp and date < $day::timestamp + interval 1 day
       order by date, origin, destination, distance, delay`,
      { file: FILE, day },
    );
    return reader.getRows().map((row, index): Flight => {
      const [date, distance, origin, destination, late] = row as [string, number, string, string, boolean];
      return { key: `${day}/${index}`, features: { date, distance, origin, destination }, late };
    });
  }

  close(): void {
    this.#connection.closeSync();
  }
}
