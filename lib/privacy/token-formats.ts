/**
 * Credentials whose form gives them away: a prefix that their issuer chose for scanners, or a checksum-like shape.
 * One row per kind. To stay linear, whatever is repeated without a bound must end the expression or be followed by a
 * character that it cannot contain.
 * Sources: the issuers' own pages on token formats, and the published rules of gitleaks (MIT).
 */
export const TOKEN_FORMATS: Record<string, string[]> = {
  openai_key: [
    // A 401 repeats the key with asterisks in its middle.
    "sk-(?!ant-)(?:proj-|svcacct-|admin-|None-)?[\\w*-]{16,}",
    "sess-[A-Za-z0-9]{40}",
    "ek_[a-f0-9]{24,}",
  ],
  anthropic_key: ["sk-ant-[a-z]+\\d{2}-[\\w-]{80,}"],
  aws_key: [
    "(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA|AIPA)[A-Z0-9]{16}",
    "ABSK[A-Za-z0-9+/]{100,270}",
    "bedrock-api-key-[\\w+/=]{20,}",
    "amzn\\.mws\\.[\\w-]{36}",
  ],
  github_token: ["gh[pousr]_[\\w.-]{36,}", "github_pat_\\w{60,}", "v1\\.[a-f0-9]{40}"],
  gitlab_token: ["gl(?:pat|ptt|dt|rt|oas|soat|ft|ffct|imt|agent|cbt|rtr|wt)-[\\w.-]{16,}", "GR1348941[\\w-]{20,}"],
  slack_token: [
    "xox[abeoprs](?:\\.xox[bp])?-[A-Za-z0-9-]{18,}",
    "xapp-\\d-[A-Za-z0-9-]{20,}",
    "hooks\\.slack\\.com/(?:services|workflows|triggers)/[\\w+/-]{30,}",
  ],
  google_key: [
    "AIza[\\w-]{35}",
    "ya29\\.[\\w-]{20,}",
    "GOCSPX-[\\w-]{28}",
    "[0-9]{6,21}-[a-z0-9]{32}\\.apps\\.googleusercontent\\.com",
    "1//0[\\w-]{30,}",
  ],
  stripe_key: ["(?:sk|rk|pk)_(?:test|live|prod)_[A-Za-z0-9]{10,}", "whsec_[A-Za-z0-9+/=]{24,}"],
  azure_key: [
    "[\\w~.]{3}\\dQ~[\\w~.-]{31,34}",
    "[A-Za-z0-9+/]{86}==",
    "[\\w-]{33,52}(?:AzFu|ACDb|AzSe|AAAAC|ASt)[\\w+/-]{4,12}={0,2}",
  ],
  jwt: [
    "ey[A-Za-z0-9]{12,}\\.ey[\\w/\\\\-]{12,}\\.[\\w/\\\\=-]{10,}",
    "ey[A-Za-z0-9]{12,}\\.ey[\\w/\\\\-]{12,}\\.?",
    "ey[A-Za-z0-9_-]{16,400}(?:\\.[\\w-]{0,400}){4}",
    "ZXlK[\\w+/=-]{60,}",
  ],
  npm_token: ["npm_[A-Za-z0-9]{36}"],
  pypi_token: ["pypi-AgE[\\w-]{50,}"],
  huggingface_token: ["hf_[A-Za-z]{34}", "api_org_[A-Za-z]{34}"],
  telegram_token: ["[0-9]{5,16}:A[\\w-]{34}"],
  private_key: ["AGE-SECRET-KEY-1[A-Z0-9]{58}", "LS0tLS1CRUdJT[\\w+/=]{40,}", "MII[A-Za-z0-9+/]{200,}={0,2}"],
  api_key: [
    "A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}", // 1Password
    "ops_eyJ[A-Za-z0-9+/]{200,}={0,3}",
    "p8e-[A-Za-z0-9]{32}", // Adobe
    "pat[A-Za-z0-9]{14}\\.[a-f0-9]{64}", // Airtable
    "LTAI[A-Za-z0-9]{20}", // Alibaba
    "AKC[A-Za-z0-9]{10,}", // Artifactory
    "cmVmdGtuOj[A-Za-z0-9+/]{40,}={0,2}",
    "AT(?:ATT3|CTT3|BB)[\\w=-]{20,}", // Atlassian, Bitbucket
    "(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\\.[A-Za-z0-9]{4,6}\\.acc[_-][A-Za-z0-9-]{10,32}\\.[\\w+/=-]{30,120}",
    "4b1d[A-Za-z0-9]{38}", // ClickHouse
    "CLOJARS_[A-Za-z0-9]{60}",
    "v1\\.0-[a-f0-9]{24}-[a-f0-9]{146}", // Cloudflare origin CA
    "dapi[a-f0-9]{32}(?:-\\d)?", // Databricks
    "dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}",
    "do[opr]_v1_[a-f0-9]{64}", // DigitalOcean
    "[MNO][A-Za-z0-9_-]{23,25}\\.[\\w-]{6}\\.[\\w-]{27,38}", // Discord
    "dp\\.(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{40,}", // Doppler
    "sl\\.[\\w=-]{130,}", // Dropbox
    "[A-Za-z0-9]{11}AAAAAAAAAA[A-Za-z0-9_=-]{43}",
    "duffel_(?:test|live)_[\\w=-]{43}",
    "dt0[a-zA-Z]\\d{2}\\.[A-Z0-9a-z]{24}\\.[A-Z0-9a-z]{64}", // Dynatrace
    "EZ[AT]K[A-Za-z0-9]{54}", // EasyPost
    "EAA[A-Za-z0-9]{60,}", // Facebook, Square
    "FLW(?:PUB|SEC)K(?:_TEST)?-[a-hA-H0-9]{12,32}(?:-X)?", // Flutterwave
    "f(?:o1|m1[ar]|m2)_[\\w+/=,-]{43,}", // Fly
    "fio-u-[\\w=-]{64}",
    "gl(?:c|sa)_[\\w+/=]{30,}", // Grafana
    "eyJrIjoi[A-Za-z0-9+/]{40,}={0,3}",
    "(?:pat|sat)\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9]{24}\\.[A-Za-z0-9]{20}", // Harness
    "[A-Za-z0-9]{14}\\.atlasv1\\.[\\w=-]{60,70}",
    "HRKU-AA[\\w-]{58}",
    "ico-[A-Za-z0-9]{32}", // Infracost
    "s-s4t2(?:ud|af)-[a-f0-9]{64}",
    "lin_api_[A-Za-z0-9]{40}",
    "lin_oauth_[A-Za-z0-9]{40,}",
    "(?:live|test)_(?:pub_)?[a-f0-9]{31,35}", // Lob
    "[a-f0-9]{32}-us\\d{1,2}", // Mailchimp
    "(?:pub)?key-[a-f0-9]{32}", // Mailgun
    "[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}",
    "[ps]k\\.eyJ[\\w-]{20,}\\.[\\w-]{20,}", // Mapbox
    "pk\\.[A-Za-z0-9]{60}\\.[A-Za-z0-9]{22}",
    "[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk", // MaxMind
    "[\\w-]{1,60}\\.webhook\\.office\\.com/webhookb2/[\\w@/-]{60,}",
    "NR(?:AK|II|JS|AA|RA|BR)-[A-Za-z0-9-]{19,42}", // New Relic
    "nfp_[A-Za-z0-9]{30,}",
    "ntn_\\d{11}[A-Za-z0-9]{35}", // Notion
    "secret_[A-Za-z0-9]{43}",
    "oy2[a-z0-9]{43}", // NuGet
    "API-[A-Z0-9]{26,32}", // Octopus
    "sha256~[\\w-]{43}", // OpenShift
    "pplx-[A-Za-z0-9]{48}",
    "gsk_[A-Za-z0-9]{40,}",
    "xai-[A-Za-z0-9]{60,}",
    "r8_[A-Za-z0-9]{37}",
    "access-(?:sandbox|development|production)-[a-f0-9-]{36}", // Plaid
    "pscale_(?:tkn|oauth|pw|app)_[\\w.=-]{32,64}",
    "ph[acrsx]_[A-Za-z0-9]{30,}", // PostHog
    "PMA[KT]-[A-Za-z0-9-]{26,}", // Postman
    "pn[ub]_[A-Za-z0-9]{36}", // Prefect
    "pul-[a-f0-9]{40}",
    "rdme_[a-z0-9]{70}",
    "rubygems_[a-f0-9]{48}",
    "rpa_[A-Za-z0-9]{30,}",
    "tk-us-[\\w-]{48}", // Scalingo
    "SCW[A-Z0-9]{17}", // Scaleway
    "SG\\.[\\w=-]{20,24}\\.[\\w=-]{39,50}", // SendGrid
    "SG\\.[\\w=.-]{66}",
    "xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}",
    "xsmtpsib-[a-f0-9]{64}-[A-Za-z0-9]{16}",
    "sntry[su]_[\\w+/=]{60,}", // Sentry
    "sm_[aps]at_[A-Za-z0-9]{16}",
    "shippo_(?:live|test)_[a-fA-F0-9]{40}",
    "shp(?:at|ca|pa|ss|tka)_[a-fA-F0-9]{32}", // Shopify
    "sq[upa]_[a-f0-9]{40}", // SonarQube
    "sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}", // Sourcegraph
    "(?:EAAA|sq0[a-z]{3}-|sandbox-sq0[a-z]{2,3}-)[\\w+/-]{22,60}", // Square
    "(?:AC|SK)[a-fA-F0-9]{32}", // Twilio
    "A{20,24}[\\w%]{60,120}", // Twitter
    "tfp_[\\w.=-]{40,}", // Typeform
    "hv[sbr]\\.[\\w-]{24,300}", // Vault
    "vck_[A-Za-z0-9]{50,}",
    "t1\\.[\\w-]+={0,2}\\.[\\w-]{86}={0,2}", // Yandex
    "AQVN[\\w-]{35,38}",
    "YC[\\w-]{38}",
    "y[0-3]_[\\w-]{55}",
    "rnd_[A-Za-z0-9]{28,}",
    "tskey-[a-z]+-[\\w-]{20,}", // Tailscale
    "nvapi-[\\w-]{60,}",
    "sbp_[a-f0-9]{40}",
    "sb_(?:secret|publishable)_[\\w-]{20,}",
    "dckr_(?:pat|oat)_[\\w-]{27,}",
    "pc(?:sk|u)_[\\w-]{30,}",
    "figd_[\\w-]{36,}",
    "tvly-[\\w-]{20,}",
    "lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
    "key_live_[A-Za-z0-9]{20,}",
    "CFPAT-[\\w-]{43}",
  ],
};
