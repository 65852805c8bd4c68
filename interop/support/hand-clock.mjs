// A clock for rxjs that the test moves by hand: the client's 15 minutes pass at once, and nothing waits for real time.
import { AsyncAction } from 'rxjs/scheduler/AsyncAction.js';
import { AsyncScheduler } from 'rxjs/scheduler/AsyncScheduler.js';

export class HandClock {
  #now = 0;
  #timers = new Set();

  get now() {
    return this.#now;
  }

  /** Runs what becomes due, in order. */
  advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(timer => timer.at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#now = next.at;
      next.at += next.every;
      next.run();
    }
    this.#now = end;
  }

  repeat(run, every) {
    const timer = { run, every, at: this.#now + every };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}

/** What is to happen "at once" happens on the event loop; what is to happen later, when the clock is moved. */
export function schedulerOf(clock) {
  class HandAction extends AsyncAction {
    requestAsyncId(scheduler, _, delay = 0) {
      const flush = () => scheduler.flush(this);
      if (delay > 0) return clock.repeat(flush, delay);
      const timer = setInterval(flush, 0);
      return () => clearInterval(timer);
    }

    recycleAsyncId(scheduler, stop, delay = 0) {
      if (delay !== null && this.delay === delay && this.pending === false) return stop;
      stop?.();
      return undefined;
    }
  }
  return new AsyncScheduler(HandAction, () => clock.now);
}
