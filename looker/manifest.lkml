# Grid Assets for Looker. What each field means is written once, as a comment in the database, and repeated here;
# the project's test suite compares the two, and runs every field on a real database.
project_name: "grid_assets"

# The name of the connection in Looker. Its user is grid_reader, or a login that is a member of it: docs/looker.md.
constant: connection {
  value: "grid_assets"
  export: override_optional
}
