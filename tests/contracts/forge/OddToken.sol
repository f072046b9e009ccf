// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

enum Kind {
    Plain,
    Fee, // keeps a tenth of every transfer
    Silent, // returns nothing
    Refusing // says false and moves nothing
}

/// @dev Settlement money as it should not be: of one of four manners, and any can be paused, or told to call somebody
/// from inside its next transfer.
contract OddToken {
    Kind public immutable KIND;
    uint8 public constant decimals = 6;

    mapping(address holder => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;
    bool public paused;
    address private _calls;
    bytes private _call;
    bool public entered; // whether a call from inside a transfer was ever let in

    error Paused();

    constructor(Kind kind) {
        KIND = kind;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function pause(bool paused_) external {
        paused = paused_;
    }

    function arm(address calls, bytes calldata call) external {
        (_calls, _call) = (calls, call);
    }

    function arrives(uint256 amount) public view returns (uint256) {
        return KIND == Kind.Fee ? amount - amount / 10 : amount;
    }

    /// @dev Many at once, because the rules ask after every step.
    function holdingsOf(address[6] calldata holders) external view returns (uint256[6] memory holdings) {
        for (uint256 i; i < 6; ++i) {
            holdings[i] = balanceOf[holders[i]];
        }
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        if (KIND != Kind.Refusing) allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        if (paused) revert Paused();
        if (KIND == Kind.Refusing) return false;
        balanceOf[from] -= amount;
        balanceOf[to] += arrives(amount);
        if (_calls != address(0)) {
            (bool done,) = _calls.call(_call);
            entered = entered || done;
            _calls = address(0);
        }
        if (KIND == Kind.Silent) {
            assembly {
                return(0, 0)
            }
        }
        return true;
    }
}
