using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>The last layer: one row per class id, growing as classes come. Old rows keep their values exactly.</summary>
/// <param name="name">Name of the module.</param>
/// <param name="featureCount">Width of the features it reads.</param>
public abstract class IncrementalHead(string name, int featureCount) : nn.Module<Tensor, Tensor>(name)
{
    private readonly List<int> _growth = [];

    /// <summary>Width of the features it reads.</summary>
    public int FeatureCount { get; } = featureCount;

    /// <summary>How many rows there are; 0 before the first class.</summary>
    public int ClassCount { get; private set; }

    /// <summary>How many rows each growth added, in order: repeating them on a new head gives the same layout.</summary>
    public IReadOnlyList<int> Growth => _growth;

    /// <summary>What a file must say to build this head again, for example <c>linear</c>.</summary>
    public abstract string Architecture { get; }

    /// <summary>Logits of some rows only, computed in the same way however many rows there are besides.</summary>
    /// <param name="features"><c>[batch, features]</c>.</param>
    /// <param name="rows">Class ids, int64 <c>[n]</c>.</param>
    /// <returns><c>[batch, n]</c>.</returns>
    public virtual Tensor ForwardRows(Tensor features, Tensor rows) => forward(features).index_select(1, rows);

    /// <summary>Adds rows for new classes; its parameters become longer, their old rows untouched.</summary>
    /// <param name="added">How many rows, 1 or more.</param>
    public void Grow(int added)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(added, 1);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        AddRows(added);
        ClassCount += added;
        _growth.Add(added);
    }

    /// <summary>Grows as another head did, by all its rows at once: their values come from a file, which may tell of many growths.</summary>
    /// <param name="growth">The other's <see cref="Growth"/>.</param>
    internal void GrowAs(IReadOnlyList<int> growth)
    {
        if (growth.Count == 0) return;
        Grow(growth.Sum());
        _growth.RemoveAt(_growth.Count - 1);
        _growth.AddRange(growth);
    }

    /// <summary>Adds rows to the parameters.</summary>
    /// <param name="added">How many rows.</param>
    protected abstract void AddRows(int added);

    /// <summary>A parameter without rows, to <see cref="Extend"/> later.</summary>
    /// <param name="rowShape">Shape of one row.</param>
    protected static Parameter WithoutRows(params long[] rowShape) => new(zeros([0, .. rowShape]));

    /// <summary>Adds rows to a parameter in place, so that it stays the same object in its module.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="rows">The new rows.</param>
    protected static void Extend(Parameter parameter, Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        parameter.set_(cat([parameter.detach(), rows]));
    }
}

/// <summary>What the new rows of a <see cref="LinearHead"/> begin with.</summary>
public enum RowStart
{
    /// <summary>Kaiming normal by fan-out, biases 0.1: new rows begin large, the fewer of them come at once the larger.</summary>
    KaimingFanOut,

    /// <summary>
    /// Weights and biases uniform between ±1/√features, however many rows come: what PyTorch gives a linear layer, and so what
    /// published protocols began with.
    /// </summary>
    UniformFanIn,

    /// <summary>
    /// Weights uniform between ±√(6/(features + rows that come at once)), biases 0: Glorot and Bengio 2010, equation 16. All outputs
    /// should come at once.
    /// </summary>
    Xavier,
}

/// <summary>A linear head: logits = W·features + b.</summary>
public sealed class LinearHead : IncrementalHead
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly RowStart _start;

    /// <summary>Creates a head without rows.</summary>
    /// <param name="featureCount">Width of the features it reads.</param>
    /// <param name="start">What new rows begin with; by default as the digits example asks.</param>
    public LinearHead(int featureCount, RowStart start = RowStart.KaimingFanOut) : base("linear", featureCount)
    {
        _start = start;
        _weight = WithoutRows(featureCount);
        _bias = WithoutRows();
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
    }

    /// <inheritdoc/>
    public override string Architecture => _start switch
    {
        RowStart.UniformFanIn => "linear-uniform",
        RowStart.Xavier => "linear-xavier",
        _ => "linear",
    };

    /// <inheritdoc/>
    public override Tensor forward(Tensor features) => nn.functional.linear(features, _weight, _bias);

    /// <inheritdoc/>
    public override Tensor ForwardRows(Tensor features, Tensor rows) =>
        nn.functional.linear(features, _weight.index_select(0, rows), _bias.index_select(0, rows));

    /// <inheritdoc/>
    protected override void AddRows(int added)
    {
        var rows = empty(added, FeatureCount);
        var bound = 1 / Math.Sqrt(FeatureCount);
        var (weights, biases) = _start switch
        {
            RowStart.UniformFanIn => (rows.uniform_(-bound, bound), empty(added).uniform_(-bound, bound)),
            RowStart.Xavier => (nn.init.xavier_uniform_(rows), zeros(added)),
            // The fan-out of a linear layer is its number of rows.
            _ => (nn.init.kaiming_normal_(rows, mode: nn.init.FanInOut.FanOut), full(added, Held(0.1f))),
        };
        Extend(_weight, weights);
        Extend(_bias, biases);
    }
}
