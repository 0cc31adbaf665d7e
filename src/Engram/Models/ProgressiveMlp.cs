using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>
/// Fully connected columns, one per task; each reads the hidden layers of all columns before it. Rusu et al. 2016, "Progressive
/// Neural Networks", equation 2: h_i = σ(W_i h_{i−1} + U_i σ(V_i α_i h_{i−1}^{(&lt;k)})).
/// </summary>
/// <remarks>Lateral connections enter hidden layers from the second on, none enters the last layer (the head).</remarks>
public sealed class ProgressiveMlp : Backbone
{
    private readonly int[] _sizes;
    private readonly List<Column> _columns = [];

    /// <summary>Creates it with one column.</summary>
    /// <param name="inputs">Numbers per sample.</param>
    /// <param name="widths">Width of each hidden layer of a column; at least one.</param>
    public ProgressiveMlp(int inputs, params int[] widths) : base("progressive", Mlp.Validate(inputs, widths)[^1])
    {
        _sizes = [inputs, .. widths];
        AddColumn();
    }

    /// <inheritdoc/>
    public override string Architecture => $"progressive-mlp {string.Join('-', _sizes)}";

    /// <summary>How many columns there are.</summary>
    public int ColumnCount => _columns.Count;

    /// <summary>The column whose features come out.</summary>
    public int Active { get; set; }

    /// <summary>Adds a column and makes it active; the columns before it learn no more.</summary>
    public void AddColumn()
    {
        foreach (var parameter in parameters()) parameter.requires_grad = false;
        using var scope = NewDisposeScope();
        var column = new Column(_sizes, _columns.Count);
        foreach (var parameter in column.parameters()) parameter.DetachFromDisposeScope();
        register_module($"column{_columns.Count}", column);
        _columns.Add(column);
        Active = _columns.Count - 1;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var flat = input.dim() == 2 ? input : input.flatten(1);
        var hidden = new Tensor[Active + 1][];
        for (var k = 0; k <= Active; k++) hidden[k] = _columns[k].Hidden(flat, hidden.AsSpan(0, k));
        return hidden[Active][^1];
    }

    private sealed class Column : nn.Module
    {
        private readonly Linear[] _own;
        private readonly Linear[] _reduce;
        private readonly Linear[] _lateral;
        private readonly Parameter[] _scale;

        public Column(int[] sizes, int before) : base("column")
        {
            var layers = sizes.Length - 1;
            var adapted = before == 0 ? 0 : layers - 1;
            _own = new Linear[layers];
            (_reduce, _lateral, _scale) = (new Linear[adapted], new Linear[adapted], new Parameter[adapted]);
            for (var i = 0; i < layers; i++)
            {
                _own[i] = nn.Linear(sizes[i], sizes[i + 1]);
                register_module($"fc{i + 1}", _own[i]);
            }
            for (var i = 0; i < adapted; i++)
            {
                _reduce[i] = nn.Linear(before * sizes[i + 1], sizes[i + 1]); // V: all columns before to the width of one
                _lateral[i] = nn.Linear(sizes[i + 1], sizes[i + 2], hasBias: false); // U
                _scale[i] = new Parameter(full(1, Held(0.1f))); // α, learnt
                register_module($"v{i + 2}", _reduce[i]);
                register_module($"u{i + 2}", _lateral[i]);
                register_parameter($"alpha{i + 2}", _scale[i]);
            }
        }

        public Tensor[] Hidden(Tensor input, ReadOnlySpan<Tensor[]> before)
        {
            var hidden = new Tensor[_own.Length];
            for (var i = 0; i < hidden.Length; i++)
            {
                var sum = _own[i].forward(i == 0 ? input : hidden[i - 1]);
                if (i > 0 && _reduce.Length > 0)
                {
                    var anterior = new Tensor[before.Length];
                    for (var k = 0; k < anterior.Length; k++) anterior[k] = before[k][i - 1];
                    sum = sum.add(_lateral[i - 1].forward(_reduce[i - 1].forward(cat(anterior, 1).mul(_scale[i - 1])).relu_()), alpha: Held(1));
                }
                hidden[i] = sum.relu();
            }
            return hidden;
        }
    }
}
