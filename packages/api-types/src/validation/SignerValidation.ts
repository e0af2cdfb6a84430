/** Rules of the names of signers, and of the names of what belongs to one. */
import { invalid, required, tooLong } from "../FieldError.js"
import type { Errors } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

const longestDomain = 253
/** A domain, a slash, a label, a dot, a subdomain. */
const longest = 253 + 1 + 63 + 1 + 253

/** Only the first label that is wrong is told about: the others mostly say the same. */
const labelProblems = (path: string, segment: string, rule: (label: string) => Names.Problems): Errors => {
  for (const label of segment.split(".")) {
    const problems = rule(label)
    if (problems.length > 0) return problems.map((problem) => invalid(path, segment, `validating label "${label}": ${problem}`))
  }
  return []
}

/** A signer is named by a domain and a path: `example.com/signer`. @category combinators */
export const validateSignerName = (path: string, signer: string): Errors => {
  if (signer === "") return [required(path)]
  const parts = signer.split("/")
  const [domain = "", name = ""] = parts
  if (parts.length !== 2) return [invalid(path, signer, "must be a fully qualified domain and path of the form 'example.com/signer-name'")]
  return [
    ...(domain.length > longestDomain ? [tooLong(path, longestDomain)] : []),
    ...labelProblems(path, domain, Names.isDns1123Label),
    ...(domain.includes(".") ? [] : [invalid(path, domain, "should be a domain with at least two segments separated by dots")]),
    ...labelProblems(path, name, Names.isDns1123Subdomain),
    ...(signer.length > longest ? [tooLong(path, longest)] : [])
  ]
}

/** What keeps a name from being that of a ClusterTrustBundle of this signer, or of none. @category combinators */
export const bundleNameProblems = (name: string, signer: string): Names.Problems => {
  if (signer === "") {
    return name.includes(":") ? ["ClusterTrustBundle without signer name must not have \":\" in its name"] : Names.isDns1123Subdomain(name)
  }
  const prefix = `${signer.replaceAll("/", ":")}:`
  return name.startsWith(prefix)
    ? Names.isDns1123Subdomain(name.slice(prefix.length))
    : [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`]
}

/** The signer to which a bundle of this name belongs; undefined for one of no signer. @category combinators */
export const signerOfBundle = (name: string): string | undefined => {
  const end = name.lastIndexOf(":")
  return end < 0 ? undefined : name.slice(0, end).replaceAll(":", "/")
}
