using YamlDotNet.Core;
using YamlDotNet.Core.Tokens;

namespace Engram.Cli.Experiments;

/// <summary>
/// Reads tokens and refuses what an experiment never needs and a hostile file lives on: anchors and aliases, tags, nesting
/// beyond reason, endless files.
/// </summary>
internal sealed class LimitedScanner(TextReader reader) : IScanner
{
    private const int MostTokens = 100_000;
    private const int MostDepth = 20;

    private readonly Scanner _scanner = new(reader, skipComments: true);
    private int _tokens;
    private int _depth;

    public Mark CurrentPosition => _scanner.CurrentPosition;

    public Token? Current => _scanner.Current;

    public bool MoveNext() => _scanner.MoveNext() && Allowed();

    public bool MoveNextWithoutConsuming() => _scanner.MoveNextWithoutConsuming() && Allowed();

    public void ConsumeCurrent() => _scanner.ConsumeCurrent();

    private bool Allowed()
    {
        if (++_tokens > MostTokens) throw new YamlException($"more than {MostTokens} tokens");
        switch (_scanner.Current)
        {
            case Anchor or AnchorAlias or Tag:
                throw new YamlException(_scanner.Current.Start, _scanner.Current.End, "anchors, aliases and tags are not for experiments");
            case BlockMappingStart or BlockSequenceStart or FlowMappingStart or FlowSequenceStart:
                if (++_depth > MostDepth) throw new YamlException(_scanner.Current.Start, _scanner.Current.End, $"nested more than {MostDepth} deep");
                break;
            case BlockEnd or FlowMappingEnd or FlowSequenceEnd:
                _depth--;
                break;
        }
        return true;
    }
}
