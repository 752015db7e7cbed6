# SPDX-License-Identifier: AGPL-3.0-or-later
# An authority that can vouch for this machine alone, and its certificate.
# shellcheck shell=bash

TLS_SPARE=$((30 * 86400))	# renewed this long before it ends

tls_fresh() {
	openssl x509 -in "$1" -noout -checkend "$TLS_SPARE" >/dev/null 2>&1
}

# tls_key FILE
tls_key() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 |
		write "$1" 600 "$ME"
}

tls_authority() {
	local dir=$STATE/tls

	tls_key "$dir/ca.key"
	openssl req -x509 -new -key "$dir/ca.key" -sha256 -days 3650 \
	    -subj "/CN=Docket development $(hash_of "$STATE")" \
	    -config "$dir/ca.cnf" -extensions v3 |
		write "$STATE/ca.pem" 644 "$ME"
	rm -f "$dir/server.pem"
}

tls_server() {
	local dir=$STATE/tls

	tls_key "$dir/server.key"
	openssl req -new -key "$dir/server.key" -subj /CN=localhost \
	    -config "$dir/ca.cnf" -out "$dir/server.csr"
	openssl x509 -req -in "$dir/server.csr" -sha256 -days 397 \
	    -CA "$STATE/ca.pem" -CAkey "$dir/ca.key" \
	    -set_serial "0x$(openssl rand -hex 16)" \
	    -extfile "$dir/ca.cnf" -extensions server |
		write "$dir/server.pem" 644 "$ME"
	rm -f "$dir/server.csr"
}

tls_files() {
	local dir=$STATE/tls

	set -e
	mkdir -p "$dir"
	chmod 700 "$dir"
	write "$dir/ca.cnf" 644 "$ME" <<'CONF'
[req]
distinguished_name = dn
[dn]
[v3]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:::1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1
CONF
	if [ ! -s "$dir/ca.key" ] || ! tls_fresh "$STATE/ca.pem"; then
		tls_authority
	fi
	if [ ! -s "$dir/server.key" ] || ! tls_fresh "$dir/server.pem"; then
		tls_server
	fi
}

tls_make() {
	if ! (tls_files) >"$STATE/log/tls.log" 2>&1; then
		show_log "$STATE/log/tls.log"
		die "the certificate was not made" "rm -rf $STATE/tls, then again"
	fi
}
