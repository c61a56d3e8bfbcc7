// The mirror's rules, read from the server's table: the same arithmetic as feedback.py.

const mean = (rule, face) => rule.blendshapes.reduce((sum, name) => sum + face[name], 0) / rule.blendshapes.length;

// How much of the rule's movement `face` makes, in [0, 1]; `rest` is the child's own resting face, or null.
export function progress(table, rule, face, rest) {
  const atRest = rest ? Math.min(mean(rule, rest), table.restLimit) : rule.rest;
  return Math.min(Math.max((mean(rule, face) - atRest) / rule.change, 0), 1);
}

// How near `face` is to the emotion, in [0, 1].
export function meter(table, emotion, face, rest) {
  const rules = table.rules[emotion];
  const sum = (value) => rules.reduce((total, rule) => total + rule.weight * value(rule), 0);
  return sum((rule) => progress(table, rule, face, rest)) / sum(() => 1);
}

// The rule whose movement would raise the meter most.
export function hint(table, emotion, face, rest) {
  const gain = (rule) => rule.weight * (1 - progress(table, rule, face, rest));
  return table.rules[emotion].reduce((best, rule) => (gain(rule) > gain(best) ? rule : best));
}

// Watches a face over time: steady readings, one hint at a time, and praise for an expression that is held.
export class Coach {
  constructor(table, emotion, rest) {
    Object.assign(this, { table, emotion, rest });
    this.face = null;
    this.meter = 0;
    this.done = false;
    this.sentence = null;
    this.sentenceSince = -Infinity;
  }

  // Blendshapes (null: no face) at a time in seconds -> the meter and a sentence {korean, english}.
  see(face, seconds) {
    const { table, emotion, rest } = this;
    if (face) {
      this.face = this.#smooth(face, seconds);
      this.meter = meter(table, emotion, this.face, rest);
    } else {
      this.face = null;
      this.meter = 0;
    }
    this.time = seconds;
    if (this.meter < table.reached) {
      this.reachedSince = null;
    } else {
      this.reachedSince ??= seconds;
      this.done ||= seconds - this.reachedSince >= table.holdSeconds;
    }
    return { meter: this.meter, sentence: this.#speak(seconds), done: this.done };
  }

  #smooth(face, seconds) {
    if (!this.face) return { ...face };
    const share = 1 - Math.exp((this.time - seconds) / this.table.smoothingSeconds);
    const smoothed = {};
    for (const name in face) smoothed[name] = this.face[name] + share * (face[name] - this.face[name]);
    return smoothed;
  }

  #speak(seconds) {
    const { messages, hintSeconds } = this.table;
    let wanted;
    if (!this.face) wanted = messages.noFace;
    else if (this.reachedSince === null) wanted = hint(this.table, this.emotion, this.face, this.rest);
    else wanted = this.done ? messages.done : messages.hold;
    const praise = wanted === messages.hold || wanted === messages.done;
    if (wanted !== this.sentence && (praise || seconds - this.sentenceSince >= hintSeconds)) {
      this.sentence = wanted;
      this.sentenceSince = seconds;
    }
    return this.sentence;
  }
}
