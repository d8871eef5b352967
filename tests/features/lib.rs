//! Nothing: this package only selects features of dependencies.
