/** Forms for programs. */
export type StructuredForm = 'json' | 'yaml';

/** A value as text that ends its line. The library for YAML is loaded only for it. */
export async function formatStructured(value: unknown, form: StructuredForm): Promise<string> {
  if (form === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(value, { lineWidth: 0 });
}
