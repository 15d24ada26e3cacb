/** What a credential allows; features take it as given and never see the credential. */
import type { Scope } from "../config/token-settings.ts";

/** The right to act for one tenant within some scopes. */
export interface Grant {
  /** Empty for the unnamed tenant, whose keys have no tenant segment. */
  readonly tenant: string;
  readonly scopes: readonly Scope[];
}
