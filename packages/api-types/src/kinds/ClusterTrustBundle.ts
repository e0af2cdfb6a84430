/** ClusterTrustBundle: trust anchors that pods can have in a file, those of one signer or of nobody in particular. */
import { all, invalid, invalidEach, none, tooLong } from "../FieldError.js"
import type * as CertificatesV1beta1 from "../generated/CertificatesV1beta1.js"
import type { Errors } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import * as TrustAnchors from "../TrustAnchors.js"
import { name, text } from "../internal/columns.js"
import { validateImmutable } from "../validation/MetadataValidation.js"
import { bundleNameProblems, validateSignerName } from "../validation/SignerValidation.js"

type Bundle = CertificatesV1beta1.ClusterTrustBundle

const validateAnchors = (bundle: string): Errors =>
  Names.byteLength(bundle) > TrustAnchors.maximumBytes
    ? [tooLong("spec.trustBundle", TrustAnchors.maximumBytes)]
    : TrustAnchors.problems(bundle).map((problem) => invalid("spec.trustBundle", "<value omitted>", problem))

const validateNames = ({ metadata, spec: { signerName = "" } }: Bundle): Errors =>
  all(
    metadata.name === undefined || metadata.name === "" ? none : invalidEach("metadata.name", metadata.name, bundleNameProblems(metadata.name, signerName)),
    signerName === "" ? none : validateSignerName("spec.signerName", signerName)
  )

/** @category constructors */
export const clusterTrustBundle: Kind.Kind<Bundle> = Kind.make<Bundle>({
  group: "certificates.k8s.io",
  version: "v1beta1",
  kind: "ClusterTrustBundle",
  plural: "clustertrustbundles",
  namespaced: false,
  schema: "io.k8s.api.certificates.v1beta1.ClusterTrustBundle",
  allowUnconditionalUpdate: false,
  // What follows the name of the signer is checked with the signer.
  nameRule: Names.isPathSegment,
  validateContent: (bundle) => all(validateNames(bundle), validateAnchors(bundle.spec.trustBundle)),
  // Anchors that are not changed are not read again: what was accepted once must not keep a label from being set.
  validateContentUpdate: (next, old) =>
    all(
      validateNames(next),
      next.spec.trustBundle === old.spec.trustBundle ? none : validateAnchors(next.spec.trustBundle),
      validateImmutable("spec.signerName", next.spec.signerName ?? "", old.spec.signerName ?? "")
    ),
  selectableFields: { "spec.signerName": (bundle) => bundle.spec.signerName ?? "" },
  columns: [name, text("SignerName", "Whose trust anchors they are.")],
  cells: ({ metadata, spec }) => [metadata.name ?? "", spec.signerName === undefined || spec.signerName === "" ? "<none>" : spec.signerName]
})
