/** Numbers that may be given as a share: `3` or `25%`. */
import { invalid } from "../FieldError.js"
import type { Errors } from "./fieldRules.js"
import { nonNegative } from "./fieldRules.js"

const percentForm = /^[0-9]+%$/
const notPercent =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

/** The number, or the number of percent; 0 for a text that is no share. */
export const amountOf = (value: number | string | undefined): number => {
  if (value === undefined || typeof value === "number") return value ?? 0
  return percentForm.test(value) ? Number(value.slice(0, -1)) : 0
}

/** The value, if it is given, must be a share or a number that is not negative. */
export const countOrShare = (path: string, value: number | string | undefined): Errors => {
  if (typeof value !== "string") return nonNegative(path, value)
  return percentForm.test(value) ? [] : [invalid(path, value, notPercent)]
}

/** The value must not be a share of more than everything. */
export const atMostAll = (path: string, value: number | string | undefined): Errors =>
  typeof value === "string" && amountOf(value) > 100 ? [invalid(path, value, "must not be greater than 100%")] : []
