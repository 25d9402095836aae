//! The report: what happened and what is planned, for people and for other programs.
