/** CertificateSigningRequest: asks a signer for a certificate. */
import { duplicate, forbidden, invalid, required } from "../FieldError.js"
import type * as CertificatesV1 from "../generated/CertificatesV1.js"
import { humanDuration } from "../HumanDuration.js"
import { age, ageCell, name, none, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { oneOf, uniqueNames } from "../internal/fieldRules.js"
import { defined, equal } from "../internal/structure.js"
import * as Kind from "../Kind.js"
import { immutable } from "../validation/MetadataValidation.js"
import { validateSignerName } from "../validation/SignerValidation.js"

type Request = CertificatesV1.CertificateSigningRequest

const shortest = 600

const pem = /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----[\s\S]+-----END (NEW )?CERTIFICATE REQUEST-----\s*$/

const validate = ({ spec }: Request): Errors => [
  ...(pem.test(Buffer.from(spec.request, "base64").toString("latin1"))
    ? []
    : [invalid("spec.request", spec.request, "PEM block type must be CERTIFICATE REQUEST")]),
  ...((spec.usages ?? []).length === 0 ? [required("spec.usages")] : []),
  ...uniqueNames(spec.usages ?? [], (index) => `spec.usages[${index}]`, duplicate),
  ...validateSignerName("spec.signerName", spec.signerName),
  ...(spec.expirationSeconds !== undefined && spec.expirationSeconds < shortest
    ? [invalid("spec.expirationSeconds", spec.expirationSeconds, `may not specify a duration less than ${shortest} seconds (10 minutes)`)]
    : [])
]

const conditionsOf = ({ status }: Request): ReadonlyArray<CertificatesV1.CertificateSigningRequestCondition> => status?.conditions ?? []

const has = (request: Request, type: string): boolean => conditionsOf(request).some((condition) => condition.type === type)

const validateConditions = (request: Request): Errors => [
  ...conditionsOf(request).flatMap((condition, index) => [
    ...(condition.type === "" ? [required(`status.conditions[${index}].type`)] : []),
    ...(["Approved", "Denied", "Failed"].includes(condition.type) && condition.status !== "True"
      ? oneOf(`status.conditions[${index}].status`, condition.status, ["True"])
      : oneOf(`status.conditions[${index}].status`, condition.status, ["False", "True", "Unknown"]))
  ]),
  ...(has(request, "Approved") && has(request, "Denied")
    ? [invalid("status.conditions", "Denied", "Approved and Denied conditions are mutually exclusive")]
    : [])
]

const validateUpdate = (next: Request, old: Request): Errors => [
  ...(equal(next.spec, old.spec) ? [] : [invalid("spec", next.spec, immutable)]),
  ...validateConditions(next),
  ...["Approved", "Denied", "Failed"].flatMap((type) =>
    has(old, type) && !has(next, type) ? [forbidden("status.conditions", `updates may not remove a condition of type "${type}"`)] : []),
  ...((old.status?.certificate ?? "") !== "" && old.status?.certificate !== next.status?.certificate
    ? [forbidden("status.certificate", "updates may not modify existing certificate content")]
    : [])
]

const decisions: ReadonlySet<string> = new Set(["Approved", "Denied"])

const decisionsOf = (request: Request) => conditionsOf(request).filter(({ type }) => decisions.has(type))

const othersOf = (request: Request) => conditionsOf(request).filter(({ type }) => !decisions.has(type))

const conditionCell = (request: Request): string => {
  if (conditionsOf(request).length === 0) return "Pending"
  return [
    has(request, "Denied") ? "Denied" : has(request, "Approved") ? "Approved" : "",
    has(request, "Failed") ? "Failed" : "",
    (request.status?.certificate ?? "") === "" ? "" : "Issued"
  ].filter((part) => part !== "").join(",")
}

/** @category constructors */
export const certificateSigningRequest: Kind.Kind<Request> = Kind.make<Request>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  shortNames: ["csr"],
  namespaced: false,
  schema: "io.k8s.api.certificates.v1.CertificateSigningRequest",
  subresources: [
    { name: "approval", kind: "CertificateSigningRequest", verbs: ["get", "patch", "update"] },
    { name: "status", kind: "CertificateSigningRequest", verbs: ["get", "patch", "update"] }
  ],
  // Who asks is filled in from the identity of the caller, never taken from the body.
  prepareForCreate: ({ status: _, ...object }) => ({
    ...object,
    spec: defined({ ...object.spec, username: undefined, uid: undefined, groups: undefined, extra: undefined }),
    status: {}
  }),
  prepareForUpdate: (next, old) => ({ ...next, spec: old.spec, status: old.status ?? {} }),
  // Decisions are made through `/approval`; a signer that writes here must not take them back or make them.
  prepareForStatusUpdate: (next, old) => ({
    ...next,
    spec: old.spec,
    status: { ...next.status, conditions: [...decisionsOf(old), ...othersOf(next)] }
  }),
  subresourceUpdates: {
    approval: {
      prepare: (next, old) => ({
        ...old,
        status: { ...old.status, conditions: [...decisionsOf(next), ...othersOf(old)] }
      }),
      validate: validateUpdate
    }
  },
  validateContent: validate,
  validateContentUpdate: validateUpdate,
  selectableFields: { "spec.signerName": (object) => object.spec.signerName },
  columns: [
    name,
    age,
    text("SignerName", "Who is asked to sign."),
    text("Requestor", "Who asks."),
    text("RequestedDuration", "How long the certificate should be good for."),
    text("Condition", "What was decided, and whether it was issued.")
  ],
  cells: (object, now) => [
    object.metadata.name ?? "",
    ageCell(object, now),
    object.spec.signerName || none,
    object.spec.username ?? "",
    object.spec.expirationSeconds === undefined ? none : humanDuration(object.spec.expirationSeconds * 1000),
    conditionCell(object)
  ]
})
