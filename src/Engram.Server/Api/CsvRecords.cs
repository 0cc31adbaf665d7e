using System.Text;

namespace Engram.Server.Api;

/// <summary>Reads CSV (RFC 4180) record by record, as it streams in.</summary>
/// <param name="reader">The text.</param>
/// <param name="mostCharacters">Most characters of a record.</param>
internal sealed class CsvRecords(TextReader reader, int mostCharacters)
{
    private readonly char[] _buffer = new char[16 * 1024];
    private readonly StringBuilder _field = new();
    private readonly List<string> _fields = [];
    private (int Start, int End) _rest;
    private int _characters;
    private long _next = 1;

    /// <summary>The line that the last record began in, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The next record that is not an empty line; null at the end. The list is valid until the next call.</summary>
    /// <exception cref="RefusedException">A quote or the length of a record is wrong.</exception>
    public async ValueTask<IReadOnlyList<string>?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!await ReadRecordAsync(cancellationToken)) return null;
            if (_fields is not [""]) return _fields;
        }
    }

    private async ValueTask<bool> ReadRecordAsync(CancellationToken cancellationToken)
    {
        _fields.Clear();
        _field.Clear();
        (_characters, Line) = (0, _next);
        var state = State.Start;
        while (true)
        {
            if (_rest.Start == _rest.End)
            {
                _rest = (0, await reader.ReadAsync(_buffer, cancellationToken));
                if (_rest.End == 0)
                {
                    if (state == State.Quoted) throw Wrong("a quote that does not end, expected \" at the end of the field");
                    if (state == State.Start && _fields.Count == 0) return false;
                    EndField();
                    return true;
                }
            }
            var c = _buffer[_rest.Start++];
            if (++_characters > mostCharacters) throw RefusedException.TooLarge(null, $"longer than {mostCharacters} characters", Line);
            if (c == '\n') _next++;
            switch (state)
            {
                case State.Quoted:
                    if (c == '"') state = State.AfterQuote;
                    else _field.Append(c);
                    break;
                case State.AfterQuote when c == '"': // a doubled quote stands for one
                    _field.Append(c);
                    state = State.Quoted;
                    break;
                case State.Start when c == '"':
                    state = State.Quoted;
                    break;
                case var _ when c == ',':
                    EndField();
                    state = State.Start;
                    break;
                case var _ when c == '\n':
                    EndField();
                    return true;
                case var _ when c == '\r':
                    break;
                case State.AfterQuote:
                    throw Wrong("text after a closing quote, expected a comma or the end of the line");
                default:
                    if (c == '"') throw Wrong("a quote inside a field, expected the whole field in quotes, and \"\" for a quote");
                    _field.Append(c);
                    state = State.Plain;
                    break;
            }
        }
    }

    private void EndField()
    {
        _fields.Add(_field.ToString());
        _field.Clear();
    }

    private RefusedException Wrong(string message) => RefusedException.BadInput(null, message, Line);

    private enum State
    {
        Start,
        Plain,
        Quoted,
        AfterQuote,
    }
}
