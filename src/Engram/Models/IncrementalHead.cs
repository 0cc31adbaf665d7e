using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>The last layer: one row per class id, growing as classes come. Old rows keep their values exactly.</summary>
/// <param name="name">Name of the module.</param>
/// <param name="featureCount">Width of the features it reads.</param>
public abstract class IncrementalHead(string name, int featureCount) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>Width of the features it reads.</summary>
    public int FeatureCount { get; } = featureCount;

    /// <summary>How many rows there are; 0 before the first class.</summary>
    public int ClassCount { get; private set; }

    /// <summary>What a file must say to build this head again, for example <c>linear</c>.</summary>
    public abstract string Architecture { get; }

    /// <summary>Adds rows for new classes; parameters are replaced by larger ones of the same names.</summary>
    /// <param name="added">How many rows, 1 or more.</param>
    public void Grow(int added)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(added, 1);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        AddRows(added);
        ClassCount += added;
    }

    /// <summary>Adds rows to the parameters.</summary>
    /// <param name="added">How many rows.</param>
    protected abstract void AddRows(int added);

    /// <summary>The parameter that holds the rows of <paramref name="old"/> followed by <paramref name="rows"/>.</summary>
    /// <param name="old">The present parameter, or null before the first class.</param>
    /// <param name="rows">The new rows.</param>
    protected static Parameter Extend(Parameter? old, Tensor rows)
    {
        var extended = old is null ? rows.clone() : cat([old.detach(), rows]);
        old?.Dispose();
        return (Parameter)new Parameter(extended).DetachFromDisposeScope();
    }
}

/// <summary>A linear head: logits = W·features + b.</summary>
/// <remarks>New rows are Kaiming normal by fan-out, new biases 0.1, as in the article that the digits example follows.</remarks>
public sealed class LinearHead(int featureCount) : IncrementalHead("linear", featureCount)
{
    private Parameter? _weight;
    private Parameter? _bias;

    /// <inheritdoc/>
    public override string Architecture => "linear";

    /// <inheritdoc/>
    public override Tensor forward(Tensor features) => nn.functional.linear(features, _weight!, _bias);

    /// <inheritdoc/>
    protected override void AddRows(int added)
    {
        // [added, features]; fan-out of a linear layer is its number of rows.
        var rows = nn.init.kaiming_normal_(empty(added, FeatureCount), mode: nn.init.FanInOut.FanOut);
        _weight = Extend(_weight, rows);
        _bias = Extend(_bias, full(added, 0.1f));
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
    }
}
