/** Rules of a LimitRange. */
import { duplicate, forbidden, invalid, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import * as Quantity from "../Quantity.js"
import { resourceName, validateResourceAmount } from "./ResourceValidation.js"

type Amounts = Readonly<Record<string, string>>

const at = (amounts: Amounts, name: string): string | undefined => (Object.hasOwn(amounts, name) ? amounts[name] : undefined)

/** `low` must not exceed `high`, where both are given. */
const inOrder = (path: string, low: string | undefined, high: string | undefined, describe: (low: string, high: string) => string, shown: string): Errors =>
  low !== undefined && high !== undefined && Quantity.compare(Quantity.fromText(low), Quantity.fromText(high)) > 0
    ? [invalid(path, shown, describe(low, high))]
    : []

const validateAmounts = (path: string, limit: CoreV1.LimitRangeItem): Errors => {
  const { default: defaults = {}, defaultRequest = {}, max = {}, maxLimitRequestRatio = {}, min = {} } = limit
  const names = new Set([max, min, defaults, defaultRequest, maxLimitRequestRatio].flatMap((amounts) => Object.keys(amounts)))
  return [...names].flatMap((name) => {
    const low = at(min, name)
    const high = at(max, name)
    const usual = at(defaults, name)
    const request = at(defaultRequest, name)
    const ratio = at(maxLimitRequestRatio, name)
    return [
      ...inOrder(`${path}.min[${name}]`, low, high, (a, b) => `min value ${a} is greater than max value ${b}`, low ?? ""),
      ...inOrder(`${path}.defaultRequest[${name}]`, low, request, (a, b) => `min value ${a} is greater than default request value ${b}`, request ?? ""),
      ...inOrder(`${path}.defaultRequest[${name}]`, request, high, (a, b) => `default request value ${a} is greater than max value ${b}`, request ?? ""),
      ...inOrder(`${path}.defaultRequest[${name}]`, request, usual, (a, b) => `default request value ${a} is greater than default limit value ${b}`, request ?? ""),
      ...inOrder(`${path}.default[${name}]`, low, usual, (a, b) => `min value ${a} is greater than default value ${b}`, low ?? ""),
      ...inOrder(`${path}.default[${name}]`, usual, high, (a, b) => `default value ${a} is greater than max value ${b}`, usual ?? ""),
      ...(ratio !== undefined && Quantity.compare(Quantity.fromText(ratio), Quantity.fromNumber(1)) < 0
        ? [invalid(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`)]
        : [])
    ]
  })
}

const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const

const validateItem = (path: string, limit: CoreV1.LimitRangeItem): Errors => {
  const isPod = limit.type === "Pod"
  return [
    ...lists.flatMap((list) =>
      Object.entries(limit[list] ?? {}).flatMap(([name, text]) => [
        ...resourceName(`${path}.${list}[${name}]`, name),
        ...validateResourceAmount(`${path}.${list}[${name}]`, name, text)
      ])
    ),
    ...(isPod && limit.default !== undefined
      ? [forbidden(`${path}.default`, "may not be specified when `type` is 'Pod'")]
      : []),
    ...(isPod && limit.defaultRequest !== undefined
      ? [forbidden(`${path}.defaultRequest`, "may not be specified when `type` is 'Pod'")]
      : []),
    ...(limit.type === "PersistentVolumeClaim" && limit.min?.["storage"] === undefined && limit.max?.["storage"] === undefined
      ? [required(`${path}.limits`, "either minimum or maximum storage value is required, but neither was provided")]
      : []),
    ...validateAmounts(path, limit)
  ]
}

/** @category combinators */
export const validateLimitRange = ({ spec }: CoreV1.LimitRange): Errors => {
  const seen = new Set<string>()
  return (spec?.limits ?? []).flatMap((limit, index) => {
    const path = `spec.limits[${index}]`
    const repeated = seen.has(limit.type)
    seen.add(limit.type)
    return [
      ...Names.isQualifiedName(limit.type).map((problem) => invalid(`${path}.type`, limit.type, problem)),
      ...(repeated ? [duplicate(`${path}.type`, limit.type)] : []),
      ...validateItem(path, limit)
    ]
  })
}
