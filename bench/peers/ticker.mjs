/**
 * A ticker that tells how alive the event loop is. Its ticks are due at fixed times, not "so long after the last
 * one": lateness does not hide in drift, and a tick that the loop slept through counts as missed. The first is due
 * `periodMs` after `afterMs`.
 */
export function startTicker(periodMs = 10, afterMs = 0) {
  const start = performance.now() + afterMs;
  const lateness = [];
  let due = start + periodMs;
  let timer = setTimeout(tick, afterMs + periodMs);
  return { stop, ticks: () => lateness.length };

  function tick() {
    const late = performance.now() - due;
    if (late > -0.5) {
      lateness.push(Math.max(0, late));
      due += periodMs * (1 + Math.floor(Math.max(0, late) / periodMs));
    }
    timer = setTimeout(tick, Math.max(1, Math.ceil(due - performance.now())));
  }

  /** Counts a tick that is overdue by now as late as it is: a starved ticker never says so itself. */
  function stop() {
    clearTimeout(timer);
    const now = performance.now();
    const ticks = lateness.length;
    if (now > due) lateness.push(now - due);
    const sorted = Float64Array.from(lateness).sort();
    const rank = (share) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const dueTicks = Math.floor((now - start) / periodMs);
    return {
      ticks,
      dueTicks,
      aliveShare: dueTicks === 0 ? 1 : Math.min(1, ticks / dueTicks),
      p99LateMs: rank(0.99),
      maxLateMs: sorted.at(-1) ?? 0,
    };
  }
}
