namespace Engram.Persistence.Onnx;

/// <summary>An ONNX graph while it is being built: nodes in order of computation, and their constants.</summary>
/// <remarks>Every node has one output, which carries the node's name. Field numbers are those of onnx.proto.</remarks>
internal sealed class OnnxGraph
{
    public const int Float = 1, Byte = 2, Int64 = 7, Double = 11;

    private const long MaxBytes = 2_000_000_000; // a message of protocol buffers ends at 2 GB

    private readonly ProtoMessage _graph = new ProtoMessage().Text(2, "engram");
    private readonly HashSet<string> _constants = [];
    private long _bytes;

    /// <summary>Declares an input; null in the shape is the batch.</summary>
    public string Input(string name, int type, params IEnumerable<long?> shape)
    {
        _graph.Message(11, ValueInfo(name, type, shape));
        return name;
    }

    /// <summary>Declares an output that a node gives.</summary>
    public void Output(string name, int type, params IEnumerable<long?> shape) =>
        _graph.Message(12, ValueInfo(name, type, shape));

    /// <summary>A node; returns its output.</summary>
    /// <param name="op">Operator of the standard domain.</param>
    /// <param name="name">Its name, also that of its output.</param>
    /// <param name="inputs">Outputs of others, or constants.</param>
    /// <param name="attributes">Values: long, long[] or float.</param>
    public string Node(string op, string name, IEnumerable<string> inputs, params IEnumerable<(string Name, object Value)> attributes)
    {
        var node = new ProtoMessage().Texts(1, inputs).Text(2, name).Text(3, name).Text(4, op);
        foreach (var (key, value) in attributes) node.Message(5, Attribute(key, value));
        _graph.Message(1, node);
        return name;
    }

    /// <summary>A constant from a tensor, float32, float64 or int64.</summary>
    /// <exception cref="NotSupportedException">Another type, or more than one file can hold.</exception>
    public string Constant(string name, Tensor value)
    {
        if (!_constants.Add(name)) return name;
        if ((_bytes += value.numel() * value.element_size()) > MaxBytes)
            throw new NotSupportedException($"model: more than {MaxBytes} bytes of constants, expected fewer in one ONNX file");
        using var scope = NewDisposeScope();
        var flat = value.detach().cpu().contiguous();
        var type = flat.dtype switch
        {
            ScalarType.Float32 => Float,
            ScalarType.Float64 => Double,
            ScalarType.Int64 => Int64,
            _ => throw new NotSupportedException($"constant {name}: {flat.dtype}, expected Float32, Float64 or Int64"),
        };
        _graph.Message(5, new ProtoMessage()
            .Numbers(1, flat.shape).Number(2, type).Text(8, name).Bytes(9, flat.reshape(-1).bytes));
        return name;
    }

    /// <summary>A constant of whole numbers, <c>[n]</c>.</summary>
    public string Constant(string name, params long[] values)
    {
        using var scope = NewDisposeScope();
        return Constant(name, tensor(values));
    }

    /// <summary>A constant number.</summary>
    public string Constant(string name, double value)
    {
        using var scope = NewDisposeScope();
        return Constant(name, tensor((float)value));
    }

    /// <summary>The graph as a message; nothing is added afterwards.</summary>
    public ProtoMessage Message => _graph;

    private static ProtoMessage Attribute(string name, object value)
    {
        var attribute = new ProtoMessage().Text(1, name);
        return value switch
        {
            long number => attribute.Number(3, number).Number(20, 2),
            float number => attribute.Float(2, number).Number(20, 1),
            long[] numbers => attribute.Numbers(8, numbers).Number(20, 7),
            _ => throw new ArgumentException($"{name}: {value}, expected long, float or long[]"),
        };
    }

    private static ProtoMessage ValueInfo(string name, int type, IEnumerable<long?> shape)
    {
        var dimensions = new ProtoMessage();
        foreach (var size in shape)
            dimensions.Message(1, size is { } known ? new ProtoMessage().Number(1, known) : new ProtoMessage().Text(2, "batch"));
        var tensor = new ProtoMessage().Number(1, type).Message(2, dimensions);
        return new ProtoMessage().Text(1, name).Message(2, new ProtoMessage().Message(1, tensor));
    }
}
