/** How the demo writes numbers; the same on every machine, whatever its locale. */

export function decimals(value: number, digits = 0): string {
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function megabytes(bytes: number, digits = 0): string {
  return `${decimals(bytes / 1e6, digits)} MB`;
}

export function percent(share: number): string {
  return `${decimals(share * 100)} %`;
}
