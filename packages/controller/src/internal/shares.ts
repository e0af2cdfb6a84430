/** Numbers that may be given as a share of a total: `3` or `25%`. */

const parts = (value: number | string, total: number): number => {
  if (typeof value === "number") return value
  const percent = /^(\d+)%$/.exec(value)?.[1]
  return percent === undefined ? 0 : (Number(percent) * total) / 100
}

export const roundedUp = (value: number | string, total: number): number => Math.ceil(parts(value, total))

export const roundedDown = (value: number | string, total: number): number => Math.floor(parts(value, total))
