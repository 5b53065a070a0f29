//! Load generator, the floor it is compared with, and their figures.
