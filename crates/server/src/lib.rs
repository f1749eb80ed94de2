//! The program: configuration, wiring, command line.
#![doc = include_str!("../README.md")]

pub mod app;
pub mod check;
pub mod cli;
pub mod config;
pub mod demo;
pub mod documents;
mod facts;
mod faults;
mod flags;
mod health;
pub mod installation;
pub mod jobs;
pub mod logging;
mod measures;
pub mod operations;
mod secret_files;
mod vault;
