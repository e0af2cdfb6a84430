/** Rules of a node. */
import { duplicate, forbidden, invalid } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, network, oneOf, uniqueNames } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { validateResourceAmount } from "./ResourceValidation.js"
import { taintEffects } from "./SchedulingValidation.js"

const validateTaints = (path: string, taints: ReadonlyArray<CoreV1.Taint>): Errors => {
  const seen = new Set<string>()
  return taints.flatMap((taint, index) => {
    const at = `${path}[${index}]`
    const { effect, key, value = "" } = taint
    const pair = `${key}:${effect}`
    const repeated = seen.has(pair)
    seen.add(pair)
    const valueProblems = Names.isLabelValue(value)
    const repetition = duplicate(at, taint)
    return [
      ...named(`${at}.key`, key, Names.isQualifiedName),
      ...(valueProblems.length > 0 ? [invalid(`${at}.value`, value, valueProblems.join(";"))] : []),
      ...oneOf(`${at}.effect`, effect, taintEffects),
      ...(repeated ? [{ ...repetition, message: `${repetition.message}: taints must be unique by key and effect pair` }] : [])
    ]
  })
}

const validateAmounts = ({ status }: CoreV1.Node): Errors =>
  (["capacity", "allocatable"] as const).flatMap((list) =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, text]) => validateResourceAmount(`status.${list}.${name}`, name, text))
  )

const validatePodCidrs = (cidrs: ReadonlyArray<string>): Errors => {
  const path = "spec.podCIDRs"
  const families = new Set(cidrs.map((cidr) => cidr.includes(":")))
  return [
    ...cidrs.flatMap((cidr, index) => network(`${path}[${index}]`, cidr)),
    ...(cidrs.length > families.size ? [invalid(path, cidrs, "may specify no more than one CIDR for each IP family")] : []),
    ...uniqueNames(cidrs, (index) => `${path}[${index}]`, duplicate)
  ]
}

/** @category combinators */
export const validateNode = (node: CoreV1.Node): Errors => [
  // The path is the one that Kubernetes reports, although taints are part of the spec.
  ...validateTaints("metadata.taints", node.spec?.taints ?? []),
  ...validateAmounts(node),
  ...validatePodCidrs(node.spec?.podCIDRs ?? [])
]

/** @category combinators */
export const validateNodeUpdate = (next: CoreV1.Node, old: CoreV1.Node): Errors => {
  const addresses = next.status?.addresses ?? []
  const oldCidrs = old.spec?.podCIDRs ?? []
  const oldProvider = old.spec?.providerID ?? ""
  return [
    ...validateAmounts(next),
    ...uniqueNames(
      addresses.map(({ address, type }) => `${type}/${address}`),
      (index) => `status.addresses[${index}]`,
      duplicate
    ),
    ...(oldCidrs.length > 0 && !semanticEqual(next.spec?.podCIDRs, oldCidrs)
      ? [forbidden("spec.podCIDRs", `node updates may not change podCIDR except from "" to valid`)]
      : validatePodCidrs(next.spec?.podCIDRs ?? [])),
    ...(oldProvider !== "" && oldProvider !== (next.spec?.providerID ?? "")
      ? [forbidden("spec.providerID", `node updates may not change providerID except from "" to valid`)]
      : []),
    ...validateTaints("metadata.taints", next.spec?.taints ?? []),
    ...((next.spec?.externalID ?? "") === (old.spec?.externalID ?? "") ? [] : [forbidden("spec.externalID", "may not be updated")])
  ]
}
