import type { Figure, NumberFigure, TimeFigure } from './figure.js';
import { type TimeSample, timeBounds } from './tally.js';

/** Figures as Prometheus reads them. The library is loaded by the first who asks, as it takes 10 MB. */
export async function exposeFigures(
  figures: readonly Figure[],
): Promise<{ readonly contentType: string; readonly text: string }> {
  const { Counter, Gauge, Histogram, Registry } = await import('prom-client');
  const registry = new Registry();
  for (const figure of figures) {
    const { name, help } = figure;
    const told = { name, help, labelNames: labelNames(figure), registers: [registry] };
    switch (figure.kind) {
      case 'counter':
        fill(new Counter(told), figure);
        break;
      case 'gauge':
        fill(new Gauge(told), figure);
        break;
      case 'histogram': {
        // What was counted can't be observed a second time, only told; this is what the registry asks for it.
        const getForPromString = async () => ({
          ...figure,
          type: figure.kind,
          values: figure.samples.flatMap((sample) => tell(name, sample)),
        });
        Object.assign(new Histogram({ ...told, buckets: [...timeBounds] }), { getForPromString });
      }
    }
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function labelNames({ samples: [first] }: NumberFigure | TimeFigure): string[] {
  return Object.keys(first?.labels ?? {});
}

function fill(metric: { inc(labels: Record<string, string>, value: number): void }, { samples }: NumberFigure): void {
  for (const { labels, value } of samples) metric.inc({ ...labels }, value);
}

function tell(name: string, { labels, within, count, sumSeconds }: TimeSample) {
  const buckets = timeBounds.map((le, index) => bucket(name, { ...labels, le: String(le) }, within[index] ?? 0));
  return [
    ...buckets,
    bucket(name, { ...labels, le: '+Inf' }, count),
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

function bucket(name: string, labels: Readonly<Record<string, string>>, value: number) {
  return { metricName: `${name}_bucket`, labels, value };
}
