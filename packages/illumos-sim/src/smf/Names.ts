/** How operators name services: whole FMRIs, the last words of one, or shell patterns. */
import type { Repository } from "./Repository.js"
import type { Instance } from "./State.js"

/** The service part and the instance part of an FMRI. @category combinators */
export const split = (fmri: string): { readonly service: string; readonly instance: string } => {
  const colon = fmri.lastIndexOf(":")
  return { service: fmri.slice("svc:/".length, colon), instance: fmri.slice(colon + 1) }
}

const glob = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`)

/** The instances that a pattern names. @category combinators */
export const matching = (repository: Repository, pattern: string): ReadonlyArray<Instance> => {
  const given = pattern.replace(/^svc:\/*/, "")
  const whole = pattern.startsWith("svc:/")
  if (/[*?[]/.test(pattern)) {
    const test = glob(pattern)
    const short = glob(given)
    return repository.instances.filter(({ fmri }) => test.test(fmri) || short.test(fmri.slice("svc:/".length)) || short.test(split(fmri).service))
  }
  const [service = "", instance] = given.split(":")
  return repository.instances.filter(({ fmri }) => {
    const parts = split(fmri)
    const isService = parts.service === service || (!whole && parts.service.endsWith(`/${service}`))
    return isService && (instance === undefined || parts.instance === instance)
  })
}

/** Path of the log of an instance. @category combinators */
export const logPath = (fmri: string): string => {
  const { instance, service } = split(fmri)
  return `/var/svc/log/${service.replaceAll("/", "-")}:${instance}.log`
}
