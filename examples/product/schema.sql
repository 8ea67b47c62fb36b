CREATE TABLE tenant (id TEXT PRIMARY KEY, slug TEXT NOT NULL, name TEXT NOT NULL, plan TEXT NOT NULL, iban TEXT NOT NULL,
  terms_at TEXT);
CREATE TABLE member (id TEXT NOT NULL, tenant TEXT NOT NULL REFERENCES tenant, name TEXT NOT NULL, email TEXT NOT NULL,
  role TEXT NOT NULL, secret TEXT NOT NULL, is_active INTEGER NOT NULL, has_mfa INTEGER NOT NULL DEFAULT 0, seen_at TEXT,
  PRIMARY KEY (tenant, id));
CREATE UNIQUE INDEX member_email ON member (email);
CREATE TABLE project (id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant, name TEXT NOT NULL, state TEXT NOT NULL,
  updated_at TEXT NOT NULL, updated_by TEXT NOT NULL);
CREATE INDEX project_of_tenant ON project (tenant, name);
CREATE TABLE invoice (number TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant, state TEXT NOT NULL,
  amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, issued_on TEXT NOT NULL);
CREATE TABLE api_key (id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant, name TEXT NOT NULL);
CREATE TABLE invitation (id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant, email TEXT NOT NULL);
CREATE TABLE connection (id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant, application TEXT NOT NULL);
CREATE TABLE use_of_day (tenant TEXT NOT NULL REFERENCES tenant, day TEXT NOT NULL, views INTEGER NOT NULL,
  PRIMARY KEY (tenant, day));
