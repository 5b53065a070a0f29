//! Between the model and the messages of the contract.
