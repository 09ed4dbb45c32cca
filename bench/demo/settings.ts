/** What the demo runs and what it asks for. The child processes get the workload as an argument. */

export const workload = {
  messageBytes: 1_000_000,
  highWaterMark: 1,
  workMs: 2,
  tickMs: 10,
  /** How long the receiver rests before it connects; memory is judged against that rest. */
  restMs: 300,
  sampleMs: 50,
  /** Where a receiver gives up, so that the demo does not take the machine down. */
  capBytes: 1_500_000_000,
};

export type Workload = typeof workload;

export const seconds = { full: 8, short: 3, yardstick: 4 };

export const goals = {
  /** Growth of the resident memory over rest stays below this. */
  growthBytes: 64_000_000,
  /** At least this share of the ticks that were due arrives. */
  tickShare: 0.9,
  /** No tick is this late. */
  lateMs: 15,
  /**
   * At least this share of the rate that the work allows: alone, or beside a bare net.Socket that
   * reads the same flood, whichever is less. A socket file holds some 200 KB, so most of each
   * message crosses after the work, on the thread that works.
   */
  rateShare: 0.9,
};
