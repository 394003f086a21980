import * as z from "zod";
import { GROUP, VERSION } from "../names.ts";
import { classSpecSchema } from "./class-spec.ts";
import { classStatusSchema } from "./class-status.ts";
import { instanceSpecSchema } from "./instance-spec.ts";
import { instanceStatusSchema } from "./instance-status.ts";
import { dnsLabel, NAME_MAX } from "./scalars.ts";

const apiVersion = z.literal(`${GROUP}/${VERSION}`);
/** Of the metadata only the name is ours to judge. */
const metadata = z.looseObject({ name: dnsLabel(NAME_MAX) });

/** A whole OpenClawInstance, as a user would write it. */
export const instanceSchema = z.strictObject({
  apiVersion,
  kind: z.literal("OpenClawInstance"),
  metadata,
  spec: instanceSpecSchema,
  status: instanceStatusSchema.optional(),
});

/** A whole OpenClawClass, as a user would write it. */
export const classSchema = z.strictObject({
  apiVersion,
  kind: z.literal("OpenClawClass"),
  metadata,
  spec: classSpecSchema,
  status: classStatusSchema.optional(),
});
