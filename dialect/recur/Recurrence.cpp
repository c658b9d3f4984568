// Token programs: the container's syntax, accessors and names. Names of arguments and results are those that
// the program spells; they are printed as attributes only where the printed SSA names differ.

#include "dialect/recur/Recur.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

//===----------------------------------------------------------------------===//
// Accessors
//===----------------------------------------------------------------------===//

Block::BlockArgListType RecurrenceOp::getProgramArguments() { return getBody().getArguments().drop_back(); }

BlockArgument RecurrenceOp::getStateArgument() { return getBody().getArguments().back(); }

static DictionaryAttr argumentAttributes(RecurrenceOp op, unsigned argument) {
  ArrayAttr all = op.getArgAttrsAttr();
  return all && argument < all.size() ? dyn_cast<DictionaryAttr>(all[argument]) : DictionaryAttr();
}

bool RecurrenceOp::isPerHead(unsigned argument) {
  DictionaryAttr attributes = argumentAttributes(*this, argument);
  return attributes && attributes.contains(perHeadAttribute);
}

StringRef RecurrenceOp::getDraw(unsigned argument) {
  DictionaryAttr attributes = argumentAttributes(*this, argument);
  auto draw = attributes ? attributes.getAs<StringAttr>(drawAttribute) : StringAttr();
  return draw ? draw.getValue() : StringRef();
}

StringRef RecurrenceOp::getArgumentName(unsigned argument) {
  return cast<StringAttr>(getArgNames()[argument]).getValue();
}

StringRef RecurrenceOp::getResultName(unsigned result) {
  return cast<StringAttr>(getYield().getResultNames()[result]).getValue();
}

YieldOp RecurrenceOp::getYield() { return cast<YieldOp>(getBody().front().getTerminator()); }

void RecurrenceOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (region.empty())
    return;
  for (auto [argument, name] : llvm::zip(region.getArguments(), getArgNames()))
    setName(argument, cast<StringAttr>(name).getValue());
  if (region.getNumArguments() == getArgNames().size() + 1)
    setName(region.getArguments().back(), "state");
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

static std::string printedName(OpAsmPrinter &printer, Value value) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  printer.printOperand(value, stream);
  return text.substr(1);
}

static std::string spelledName(const OpAsmParser::UnresolvedOperand &operand) {
  std::string name = operand.name.drop_front().str();
  return operand.number ? name + "_" + std::to_string(operand.number) : name;
}

/// Takes `recur.name` out of an argument's dictionary; without one, the name is the SSA name.
static ParseResult takeName(OpAsmParser &parser, OpAsmParser::Argument &argument, StringAttr &name) {
  Builder &builder = parser.getBuilder();
  name = builder.getStringAttr(spelledName(argument.ssaName));
  NamedAttrList attributes(argument.attrs);
  if (Attribute given = attributes.erase(nameAttribute)) {
    name = dyn_cast<StringAttr>(given);
    if (!name)
      return parser.emitError(argument.ssaName.location, "expected a string in ")
             << nameAttribute << ", got " << given;
  }
  argument.attrs = attributes.getDictionary(builder.getContext());
  return success();
}

static ParseResult parseResultTypes(OpAsmParser &parser, SmallVectorImpl<Type> &types) {
  if (failed(parser.parseOptionalLParen())) {
    types.emplace_back();
    return parser.parseType(types.back());
  }
  if (succeeded(parser.parseOptionalRParen()))
    return success();
  return failure(parser.parseTypeList(types) || parser.parseRParen());
}

ParseResult RecurrenceOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  StringAttr symbol;
  SmallVector<OpAsmParser::Argument> arguments;
  OpAsmParser::Argument state;
  SmallVector<Type> resultTypes;
  if (parser.parseSymbolName(symbol, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true,
                               /*allowAttrs=*/true) ||
      parser.parseKeyword("state") || parser.parseLParen() ||
      parser.parseArgument(state, /*allowType=*/true) || parser.parseRParen() || parser.parseArrow() ||
      parseResultTypes(parser, resultTypes) || parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();

  SmallVector<Attribute> names, attributes;
  SmallVector<Type> types;
  for (OpAsmParser::Argument &argument : arguments) {
    StringAttr name;
    if (takeName(parser, argument, name))
      return failure();
    names.push_back(name);
    attributes.push_back(argument.attrs);
    types.push_back(argument.type);
  }
  auto type = FunctionType::get(builder.getContext(), types, resultTypes);
  result.addAttribute(getFunctionTypeAttrName(result.name), TypeAttr::get(type));
  result.addAttribute(getArgNamesAttrName(result.name), builder.getArrayAttr(names));
  if (llvm::any_of(attributes, [](Attribute a) { return !cast<DictionaryAttr>(a).empty(); }))
    result.addAttribute(getArgAttrsAttrName(result.name), builder.getArrayAttr(attributes));
  // Attributes of arguments are the recurrence's own; a region's argument has none.
  for (OpAsmParser::Argument &argument : arguments)
    argument.attrs = {};
  arguments.push_back(state);
  return parser.parseRegion(*result.addRegion(), arguments);
}

static void printArgument(OpAsmPrinter &printer, RecurrenceOp op, unsigned index) {
  BlockArgument argument = op.getBody().getArgument(index);
  NamedAttrList attributes;
  if (DictionaryAttr own = argumentAttributes(op, index))
    attributes = NamedAttrList(own);
  if (printedName(printer, argument) != op.getArgumentName(index))
    attributes.set(nameAttribute, cast<StringAttr>(op.getArgNames()[index]));
  printer.printRegionArgument(argument, attributes.getAttrs());
}

void RecurrenceOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << '(';
  llvm::interleaveComma(llvm::seq<unsigned>(0, getProgramArguments().size()), printer,
                        [&](unsigned index) { printArgument(printer, *this, index); });
  printer << ") state(";
  printer.printRegionArgument(getStateArgument());
  printer << ") -> ";
  ArrayRef<Type> results = getFunctionType().getResults();
  if (results.size() == 1)
    printer << results[0];
  else
    printer << '(' << results << ')';
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getSymNameAttrName(), getFunctionTypeAttrName(), getArgNamesAttrName(), getArgAttrsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

ParseResult YieldOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
  llvm::SMLoc place = parser.getCurrentLocation();
  if (parser.parseOperandList(operands))
    return failure();
  ArrayAttr names;
  if (succeeded(parser.parseOptionalKeyword("as")) && parser.parseAttribute(names))
    return failure();
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseOptionalColonTypeList(types))
    return failure();
  if (operands.size() != types.size() + 1)
    return parser.emitError(place) << "expected " << types.size() + 1
                                   << " operands, one for each type and the state, got " << operands.size();
  if (!names) {
    SmallVector<Attribute> spelled;
    for (const auto &operand : ArrayRef(operands).drop_back())
      spelled.push_back(builder.getStringAttr(spelledName(operand)));
    names = builder.getArrayAttr(spelled);
  }
  result.addAttribute(getResultNamesAttrName(result.name), names);
  types.push_back(StateType::get(builder.getContext()));
  return parser.resolveOperands(operands, types, place, result.operands);
}

void YieldOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printOperands(getOperands());
  auto isPrinted = [&](auto pair) {
    return printedName(printer, std::get<0>(pair)) == cast<StringAttr>(std::get<1>(pair)).getValue();
  };
  if (getValues().size() != getResultNames().size() ||
      !llvm::all_of(llvm::zip(getValues(), getResultNames()), isPrinted))
    printer << " as " << getResultNamesAttr();
  printer.printOptionalAttrDict((*this)->getAttrs(), {getResultNamesAttrName()});
  if (!getValues().empty())
    printer << " : " << getValues().getTypes();
}
